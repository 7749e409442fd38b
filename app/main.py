"""Composition root: the app, its agents in the order of the pipeline, its views. `faust -A app.main worker` runs it."""

from agents import collect, identity, journey
from app import views
from app.instance import app
from app.upkeep import upkeep

__all__ = ["app", "collect", "identity", "journey", "upkeep", "views"]
