"""What publishing staged rows would change against what stands.

``difference``  the answer: rows and totals before and after, the largest changes, members that vanish
``sides``       the two sides that are compared: the staged rows, and the fact rows that they would take the place of
``rows``        the rows that differ, paired by their key, in temporary tables
``cells``       where a staged row came from: its workbook, sheet and cells
``staged``      what is compared: rows that wait to be published
``compare``     all of it, in one transaction that changes nothing
``of_load``     the same of a load whose rows are staged and proved
"""
