"""Lo que el servicio cuesta, medido contra un techo en la misma pasada: un programa por meta.

Qué es: los programas de `alpespartners medir` y lo que usan. Arrancan el servicio en una carpeta temporal, lo
cargan e imprimen razones; en su versión larga, `python -m alpespartners.medicion.<programa>`.
Qué no es: pruebas; ninguno falla por tardar. Una cifra absoluta depende de la máquina y de sus vecinos; una
razón entre dos cosas medidas por turnos en la misma pasada, mucho menos. Tampoco es parte del servicio: de
lo que se instala, solo la importa la terminal.
Por qué existe: una afirmación sobre velocidad que no se puede repetir no vale nada, y quien instala el
producto no tiene el repositorio.
"""
