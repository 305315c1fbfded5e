"""Qué se puede preguntar a los informes, y qué se responde; sin HTTP ni SQL."""
