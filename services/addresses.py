"""Network addresses, as far as somebody is told by them."""

from ipaddress import IPv6Address, ip_address


def holder(address: str) -> str:
    """Whom an address belongs to: of IPv6 the network, as each customer is given a /64 at least;
    what is no address stands for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
