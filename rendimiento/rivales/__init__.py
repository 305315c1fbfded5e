"""Lo que otro elegiría en nuestro lugar, medido en la misma pasada y con lo que promete al responder.

Qué es: cada rival en su carpeta o su módulo (cómo se instala, se arranca, se mata y se lee lo que guardó), y
la comparación. `python -m rendimiento.rivales` lo hace todo.
Qué no es: un juicio de cada producto: se mide lo que aquí se pide, que es aceptar un evento por petición.
Por qué existe: una cifra de velocidad no dice nada sin lo que se promete a cambio, ni sin otra al lado.
"""
