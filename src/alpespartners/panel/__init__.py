"""El panel: las páginas que miran quienes pagan, quienes cobran y quien está de guardia.

Qué es: una puerta más a las mismas consultas que la API, que responde páginas en lugar de JSON.
Qué no es: un segundo cálculo; ninguna cifra se cuenta aquí, y el estado de una vista es su dirección.
Por qué existe: quien pregunta por qué falta su venta no abre una terminal.
"""
