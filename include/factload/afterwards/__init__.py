"""What comes after a first attempt.

``resume``        what is staged already, and what of it is to be relied on
``replay``        rejected rows tried again, or as a person corrected them
``shown_cells``, ``returned``, ``comparison``  a rejects workbook that came back, and what a person changed in it
``corrections``   corrected rows in the place of rejected ones
``release``       a held load, published on the word of a person
``left_overs``    what loads leave behind: removed, or swept by age
"""
