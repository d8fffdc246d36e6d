"""Nothing was lost, and nothing changed places: counts and totals compared by pure functions.

``reconcile``   source = blank + rejected + staged, by partition and in all
``weights``     totals that tie every value to its row
"""
