"""What processes of a fleet say of themselves, in memory that they share."""

import subprocess
import sys

from capper.fleet import Board
from capper.journal import Totals

PROGRAM = """
import os
from capper.fleet import Board
board = Board(2)
if not (pid := os.fork()):
    board.workers[1].totals.shown += 3
    board.workers[1].connections = 7
    os._exit(0)
os.waitpid(pid, 0)
board.workers[1].totals.shown += 1
print(board.workers[1].totals.shown, board.workers[1].connections, board.totals().shown)
"""


def test_what_a_child_counts_is_there_when_it_is_gone():
    """A process that was forked writes, and dies; its parent reads, and who comes after counts on."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert "4 7 4" == told.stdout.strip()


def test_the_sum():
    """Of each number the rows' together, the house's too; rows do not touch each other."""
    board = Board(2)
    board.house.totals.prompts = 1
    board.workers[0].totals.prompts, board.workers[1].totals.withheld = 2, 5
    board.workers[0].beat = board.workers[1].restarts = 9

    assert Totals(prompts=3, withheld=5) == board.totals()
    assert [1, 2, 0] == [row.totals.prompts for row in board.rows]
