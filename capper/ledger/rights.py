"""The rights a ledger needs on a server whose owner grants no more than needed; deploy/valkey/users.acl is written from here."""

from typing import Final

from capper.ledger.entries import PATTERN

RIGHTS: Final = {
    "evalsha": "claims, and entries for a backup",
    "eval": "the same, on a server that does not know the script yet",
    "mget": "what a script reads, and a person's own record",
    "set": "what a script writes, and journal records",
    "pexpire": "keeps the policy in force while it is in use",
    "pexpiretime": "when an entry expires, for a backup",
    "scan": "finds a person's entries",
    "unlink": "forgets them",
    "publish": "tells other cappers that there is another policy",
    "subscribe": "hears of it; without, capper looks each second",
    "info": "the server's version, and whether it may lose counts",
    "select": "an address with a database other than 0",
}
"""Each command and what it is for. Scripts run with the rights of whoever calls them."""

CLUSTER_RIGHTS: Final = {
    "cluster|slots": "which node has which keys",
    "cluster|getkeysinslot": "finds a person's entries without going through everyone's",
    "asking": "keys that are on their way to another node",
}
"""What a cluster is asked besides; there are no databases then."""


def acl_rights(*, cluster: bool = False) -> str:
    """The rights as `ACL SETUSER` and an ACL file take them: these commands, on the ledger's keys, and on channels named like them."""
    commands = RIGHTS | CLUSTER_RIGHTS if cluster else RIGHTS
    names = [name for name in commands if not (cluster and name == "select")]
    return " ".join(
        ["resetchannels", f"~{PATTERN.decode()}", f"&{PATTERN.decode()}", "-@all", *(f"+{name}" for name in names)]
    )
