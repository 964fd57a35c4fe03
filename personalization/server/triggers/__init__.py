"""Messages to people who are not on the site: nightly, through an address of the customer's.

Reference `engine-protocol.md` 7.10. `definitions` makes triggers, `recipients` keeps who may be addressed,
`occasions` finds for whom there is a reason, `messages` writes, `nightly` does it all, `deliver` posts.
"""
