"""Several processes that do one service's work: a parent that starts them, watches over them, and starts anew what dies."""

from capper.fleet.board import Board, Row
from capper.fleet.fleet import ENDINGS, Fleet, Herald, Post, Standing
from capper.fleet.patience import Patience
from capper.fleet.station import Station

__all__ = ["ENDINGS", "Board", "Fleet", "Herald", "Patience", "Post", "Row", "Standing", "Station"]
