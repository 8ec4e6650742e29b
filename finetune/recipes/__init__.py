"""Recipes: what a training is made of, those that are bundled, and those of files."""

from .bundled import RECIPES, recipe
from .recipe import Recipe
from .recipe_file import RecipeFileError, find_recipe, read_recipe

__all__ = ["RECIPES", "Recipe", "RecipeFileError", "find_recipe", "read_recipe", "recipe"]
