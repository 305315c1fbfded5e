"""El error con el que un proceso no llega a arrancar.

Es una frase para la persona que lo puso en marcha, no un fallo del programa: por eso no muestra una traza.
"""


class ErrorDeArranque(SystemExit):
    """Lo que impide arrancar, dicho en una frase.

    Por ser un ``SystemExit`` con texto, el intérprete escribe la frase en stderr y termina con código 1.
    """

    def __init__(self, frase: str) -> None:
        super().__init__(frase)
        self.frase = frase
