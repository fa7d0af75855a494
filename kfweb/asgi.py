"""What Daphne serves: pages through Django, browser sockets through the hub."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from kfweb.pages import get_pages

pages = get_pages()  # first: it loads the apps that the imports below need

from trading.live.routing import websocket_urls
from trading.live.transport import with_transport

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": with_transport(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls)))),
    }
)
