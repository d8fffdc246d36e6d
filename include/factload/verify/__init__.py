"""Whether the fact tables still hold what was published.

``published``  what the ledger, or a receipt, says of publications
``found``      what stands in the fact tables of it now
``judgement``  the two compared: what stands, what doesn't, what can't be proved
``evidence``   where rows of a load are that aren't as they were published
``proof``      all loads of a ledger, proved
``receipt``    a sealed statement on what was published, which is proved without the ledger
"""
