"""The one failure of the embedded broker."""


class BrokerError(Exception):
    """One sentence for the operator: what does not work, and what to do about it or where its log is."""
