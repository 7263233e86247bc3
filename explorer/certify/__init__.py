"""Writers of certificates. Nothing that this layer says is believed: the checker recomputes everything."""

from explorer.certify.certificate import Certificate, Instance

__all__ = ["Certificate", "Instance"]
