"""What Daphne serves: pages through Django, browser sockets through the hub."""

import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from kfweb import daphne_requests
from kfweb.pages import get_pages

pages = get_pages()  # first: it loads the apps that the imports below need

from django.conf import settings

from kfweb.body_limit import limit_bodies
from trading.live.routing import websocket_urls
from trading.live.transport import with_transport

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": with_transport(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls)))),
    }
)

limit_bodies(settings.LARGEST_BODY)
daphne_requests.install()
# A page's thread that comes back from the disk or the venue waits for the loop's thread no longer than this (seconds).
sys.setswitchinterval(0.001)
# What was loaded until here lives as long as the process: the collector need not look at it again.
gc.freeze()
# Most of what a request makes goes without the collector; it looks for rings that do not, and need not look so often.
gc.set_threshold(20_000, 20, 20)
