"""The definitions of every network the project runs, and the readers of their weight files.

Nothing here imports torch until a network is built.
"""
