"""All SQL of the rating room: ratings, and the registry of models."""

from node.rating.store.models import ModelEvent, ModelRecord, ModelStore, NewModel
from node.rating.store.ratings import NewRating, RatingRecord, RatingStore

__all__ = [
    "ModelEvent",
    "ModelRecord",
    "ModelStore",
    "NewModel",
    "NewRating",
    "RatingRecord",
    "RatingStore",
]
