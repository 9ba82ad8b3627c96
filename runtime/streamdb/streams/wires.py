"""Which wire carries the requests to an address."""

from __future__ import annotations

from streamdb.streams.address import Address, HttpAddress
from streamdb.streams.direct import DirectAsyncWire, DirectWire
from streamdb.streams.embedded import EmbeddedAsyncWire, EmbeddedWire
from streamdb.streams.http import AsyncClient, Client, HttpxAsyncWire, HttpxWire, direct_route
from streamdb.streams.wire import AsyncWire, Wire, WireSettings


def async_wire(address: Address, settings: WireSettings, client: AsyncClient | None) -> AsyncWire:
    """Make the wire for asyncio; nothing is sent yet."""
    if not isinstance(address, HttpAddress):
        return EmbeddedAsyncWire(address, timeout=settings.timeout)
    if client is None and (route := direct_route(address, settings)) is not None:
        return DirectAsyncWire(route)
    return HttpxAsyncWire(address, settings, client)


def blocking_wire(address: Address, settings: WireSettings, client: Client | None) -> Wire:
    """Make the blocking wire; nothing is sent yet."""
    if not isinstance(address, HttpAddress):
        return EmbeddedWire(address, timeout=settings.timeout)
    if client is None and (route := direct_route(address, settings)) is not None:
        return DirectWire(route)
    return HttpxWire(address, settings, client)
