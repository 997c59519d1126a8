"""Credit nobody asked for, recognised: packs of words by language, weights learnt for them, and who reads with both."""

from capper.recognise.credit.frames import Frame, frame_of
from capper.recognise.credit.languages import declared, languages
from capper.recognise.credit.packs import Packs, load_packs
from capper.recognise.credit.reader import CreditReader

__all__ = ["CreditReader", "Frame", "Packs", "declared", "frame_of", "languages", "load_packs"]
