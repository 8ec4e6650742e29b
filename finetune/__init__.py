"""Crops and labels in, a better embedding network out; and what it trains on: photos distorted, and fakes made of them."""
