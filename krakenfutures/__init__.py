"""What Kraken Derivatives is: its contracts, sums, orders and messages. Only `krakenfutures.io` calls out."""
