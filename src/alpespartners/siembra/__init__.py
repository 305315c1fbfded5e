"""La siembra: un mes creíble de datos inventados, enviado a un servicio en marcha como los de cualquiera.

Qué es: quién hay (`audiencias.py`), cuándo pasa algo (`calendario.py`), qué pasa (`visitas.py`) y su envío
por lotes (`envio.py`).
Qué no es: una carga para medir, ni una escritura en la base de datos; cada evento entra por la API.
Por qué existe: con un panel vacío nadie puede saber si le sirve.
"""
