"""La composición: el único paquete que nombra adaptadores concretos.

Qué es: con qué broker, qué base de datos y qué reloj corre cada proceso. `api` y `consumo` componen los dos
que trabajan siempre y `ordenes` los que hacen una cosa y terminan; `adaptadores` elige con qué, y `procesos`
dice qué corre cada proceso que crea el supervisor.
Qué no es: lógica; si aquí hay un `if`, elige un adaptador, o dice si se migra o se puede empezar.
Por qué existe: «¿con qué?» se responde en un sitio, y las pruebas componen lo suyo sin parchear nada.

De aquí no se importa nada: cada proceso importa el módulo que le toca, y no paga por los demás.
"""
