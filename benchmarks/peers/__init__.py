"""One program a peer, each as its documentation has people write it: `python FILE WORKBOOK DATABASE_URL`."""
