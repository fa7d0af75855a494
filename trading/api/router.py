"""The one router of the API: an address that is read and written is one address."""

from ninja import Router

router = Router()
