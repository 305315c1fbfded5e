"""Por qué un dato de un enlace no vale: un código estable y una frase que nunca lo repite.

Qué no es: la falta que lee quien lo envió, que nombra además el campo; eso lo dice la aplicación.
"""

from enum import StrEnum


class CodigoDeEnlace(StrEnum):
    """Los mismos con que se dicen las faltas de un evento."""

    REQUERIDO = "requerido"
    LONGITUD_EXCEDIDA = "longitud_excedida"
    CARACTER_DE_CONTROL = "caracter_de_control"
    SUSTITUTO_SUELTO = "sustituto_suelto"
    VALOR_NO_PERMITIDO = "valor_no_permitido"
    VALOR_ILEGIBLE = "valor_ilegible"


class NoVale(ValueError):
    """Un dato incumple su regla."""

    def __init__(self, codigo: CodigoDeEnlace, frase: str) -> None:
        super().__init__(frase)
        self.codigo = codigo
        self.frase = frase
