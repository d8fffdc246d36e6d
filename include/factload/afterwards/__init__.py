"""What comes after a first attempt.

``resume``        what is staged already, and what of it is to be relied on
``replay``, ``corrections``   rejected rows tried again; corrected rows in their place
``release``       a held load, published on the word of a person
``left_overs``    what loads leave behind: removed, or swept by age
"""
