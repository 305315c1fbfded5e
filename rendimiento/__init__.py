"""Lo que el servicio cuesta, medido contra un techo en la misma pasada: un programa por meta.

Qué es: programas que arrancan el servicio en una carpeta temporal, lo cargan e imprimen razones. Se ejecutan
con `python -m rendimiento.<programa>`, y los más cortos, juntos, con `alpespartners medir`.
Qué no es: pruebas; ninguno falla por tardar. Una cifra absoluta depende de la máquina y de sus vecinos; una
razón entre dos cosas medidas por turnos en la misma pasada, mucho menos.
Por qué existe: una afirmación sobre velocidad que no se puede repetir no vale nada.
"""
