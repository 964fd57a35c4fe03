"""An engine of its own for tests: a process that speaks the protocol, checks what it gets and writes it down.

It shares no code with the product: what the protocol says is spelled out here once more, after the reference
(`client-protocol.md` 2.9, 2.10, 3.4, 6.6).
"""
