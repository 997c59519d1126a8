"""Saved page loads keep every byte when credit prompts go and nothing is capped: none of them holds one."""

from capper.gate import Gate
from capper.gate.credit import Credit
from capper.journal import Journal
from capper.later import Late
from capper.ledger.memory import MemoryLedger
from capper.measure.har import load
from capper.measure.replay import replay
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.body import decode
from capper.settings.policy import parse_policy


async def test_recordings_keep_every_byte(shared_data, monkeypatch):
    """Of 17 recordings with 4,767 entries no entry changes; the ten pages, answers and texts whose bodies were saved are read."""
    credit, read = Credit.load(), []

    def counted(*args):
        body = decode(*args)
        read.append(len(body.data))
        return body

    monkeypatch.setattr("capper.gate.credit.decode", counted)
    policy = parse_policy('credit_prompts = "strip"\ncaps = []\n', "p")
    recogniser = Recogniser(Engines.build([]), AdReader(load_networks()))
    entries, changed, left = 0, [], {}
    for path in sorted((shared_data / "har").glob("*.har.gz")):
        journal = Journal(0)
        gate = Gate(lambda: recogniser, MemoryLedger(), lambda: policy, journal, credit=Late(lambda: credit))
        replayed = await replay(load(path), gate, journal)
        entries += replayed.summary.entries
        changed += [(path.name, index) for index in replayed.changes]
        left |= replayed.summary.untouched

    # Two fonts that say they are pages, and compressed.
    assert ([], {"the br stream is damaged: brotli: decoder failed": 2}) == (changed, left)
    assert (4767, (10, 81_263)) == (entries, (len(read), sum(read)))
