"""El consumo: recoger un lote, asentarlo, recordar lo que se tenía en mano y publicar lo depositado."""
