"""Recipes: what a training is made of, those that are bundled, and those of files."""

from .bundled import RECIPES, recipe
from .recipe import Recipe

__all__ = ["RECIPES", "Recipe", "recipe"]
