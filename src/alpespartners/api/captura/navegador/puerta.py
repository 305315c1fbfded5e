"""Desde qué páginas se entra: una clave que está a la vista y el origen en que vale.

Qué es: la comprobación de una petición que hace un navegador por encargo de una página, con sus negativas.
Qué no es: una prueba de que la hizo un navegador; por eso con estas claves solo se envía, y a sus campañas.
Por qué existe: copiar la clave de una página en otra no debe servir. Sin ninguna clave así, una página de
internet no debe poder escribir en el libro de quien la mira.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.acceso import admitir
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance, Llavero
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.api.http.visitante import Visitante, Visitantes
from alpespartners.modulos.claves.dominio.origen import admite, es_de_esta_maquina, origen_de
from alpespartners.seedwork.orden import ORDEN

_COMO_SE_ENCIENDE: Final = (
    f"«{ORDEN} claves crear --nombre Tienda --alcance navegador --origen https://tienda.com --campaña …»"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Puerta:
    """La de un servicio.

    Attributes:
        llavero: las claves.
        visitantes: quien sabe de quién viene una petición.
        limite: cuánto puede pedir cada dirección.
    """

    llavero: Llavero
    visitantes: Visitantes
    limite: LimitePorDireccion

    def visitante(self, peticion: Request) -> Visitante:
        """Quien hizo la petición, que se le cobra.

        Raises:
            ErrorHTTP: 429, su dirección pide demasiado.
        """
        visitante = self.visitantes.de(peticion)
        self.limite.exigir(visitante.origen)
        return visitante

    def admite_origen(self, origen: str | None) -> bool:
        """Dice si con alguna clave se puede enviar desde las páginas de ese origen."""
        if origen is None:
            return False
        # Sin claves el servicio solo atiende a su máquina, y lo mismo sus páginas.
        return self.llavero.admite_origen(origen) if self.llavero.piden else es_de_esta_maquina(origen)

    def exigir_origen(self, origen: str | None) -> str:
        """Ese origen, si con alguna clave se puede enviar desde él.

        Raises:
            ErrorHTTP: 403.
        """
        if self.llavero.piden and not self.llavero.hay_publicas:
            raise _apagada()
        if origen is None or not self.admite_origen(origen):
            raise _origen_no_registrado()
        return origen

    def admitir(self, peticion: Request, presentada: object, origen: str) -> None:
        """Admite la petición con esa clave, y se la deja puesta; sin claves, no se mira ninguna.

        Raises:
            ErrorHTTP: 403, no es ninguna o no vale en ese origen; 429, gastó su límite; 503, no se sabe aún
                qué claves hay.
        """
        if not self.llavero.piden:
            return
        clave = self.llavero.abrir_publica(presentada) if isinstance(presentada, str) else None
        if clave is None:
            raise _clave_desconocida()
        if not admite(clave.origenes, origen):
            raise _origen_no_registrado()
        admitir(peticion, clave, Alcance.NAVEGADOR)


def origen_dicho(peticion: Request) -> str | None:
    """El de la página, que escribe el navegador en `Origin`; `None` si no viene uno solo y registrable."""
    dichos = cabeceras_de(peticion).get(b"origin", ())
    return origen_de(dichos[0]) if len(dichos) == 1 else None


def _apagada() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "sin_claves_de_navegador",
        "Sin claves de navegador",
        "Desde una página no se admite nada mientras no haya una clave para ella: "
        f"{_COMO_SE_ENCIENDE} la crea.",
    )


def _clave_desconocida() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "clave_de_navegador_desconocida",
        "Clave de navegador desconocida",
        f"La clave de la página (pk_…) no es ninguna, o ya no vale: «{ORDEN} claves listar» las dice.",
    )


def _origen_no_registrado() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "origen_no_registrado",
        "Origen no registrado",
        "La petición no viene de una página en que valga esa clave, o su página no dice de dónde es: "
        f"{_COMO_SE_ENCIENDE} crea otra. Sin claves, solo valen las páginas de esta máquina.",
    )
