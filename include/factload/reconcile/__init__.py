"""The proof that no row was lost and no value moved to another row: counts and totals compared.

``counts``              source = blank + left out + rejected + staged, by partition and in all
``weighted_checksums``  totals that tie every value to its row
``witness``             the load beside the number of its owner
``read_back``           what stands in the fact table, against what was staged
"""
