"""What flows and stages both need towards strangers: which of their words are shown, which addresses are asked.

Neither of the two imports the other; both import this. Nothing here shapes a result.
"""
