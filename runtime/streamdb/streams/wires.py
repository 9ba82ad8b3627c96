"""Which wire carries the requests to an address.

httpx takes longest of all to be imported, so that waits until an HTTP address is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamdb.streams.address import Address, HttpAddress
from streamdb.streams.wire import AsyncWire, Wire, WireSettings

if TYPE_CHECKING:
    from streamdb.streams.httpx_wire import AsyncClient, Client


def async_wire(address: Address, settings: WireSettings, client: AsyncClient | None) -> AsyncWire:
    """Make the wire for asyncio; nothing is sent yet."""
    if not isinstance(address, HttpAddress):
        from streamdb.streams.embedded_wire import EmbeddedAsyncWire

        return EmbeddedAsyncWire(address, timeout=settings.timeout)
    from streamdb.streams.direct_wire import DirectAsyncWire
    from streamdb.streams.httpx_wire import HttpxAsyncWire, direct_route

    if client is None and (route := direct_route(address, settings)) is not None:
        return DirectAsyncWire(route)
    return HttpxAsyncWire(address, settings, client)


def blocking_wire(address: Address, settings: WireSettings, client: Client | None) -> Wire:
    """Make the blocking wire; nothing is sent yet."""
    if not isinstance(address, HttpAddress):
        from streamdb.streams.embedded_wire import EmbeddedWire

        return EmbeddedWire(address, timeout=settings.timeout)
    from streamdb.streams.direct_wire import DirectWire
    from streamdb.streams.httpx_wire import HttpxWire, direct_route

    if client is None and (route := direct_route(address, settings)) is not None:
        return DirectWire(route)
    return HttpxWire(address, settings, client)
