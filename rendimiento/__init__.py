"""Los programas que miden lo que no cabe en un par de minutos, y los que miran el código mientras corre.

Qué es: herramientas del repositorio sobre las piezas de `alpespartners.medicion`; se ejecutan en su raíz con
`python -m rendimiento.<programa>`.
Qué no es: parte de lo que se instala; lo que necesita `alpespartners medir` está en `alpespartners.medicion`.
Por qué existe: la memoria tras cinco millones de eventos, o lo que recorre uno, se miran al desarrollar.
"""
