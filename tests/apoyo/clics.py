"""Una cola de clics sin disco, que recuerda lo que se le dio."""

from asyncio import Future
from dataclasses import dataclass, field

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import CuentaDeClics


@dataclass
class ColaEnMemoria:
    """Cumple `ColaDeClics`; guarda todo, y de lo perdido dice lo que la prueba quiera."""

    perdidos: int = 0
    guardados: list[tuple[Comando, str, str | None]] = field(default_factory=list)
    en_curso: list[Future[bool] | None] = field(default_factory=list)

    async def guardar(
        self,
        comando: Comando,
        *,
        comando_id: str,
        traza: str | None,
        en_curso: Future[bool] | None = None,
    ) -> None:
        self.guardados.append((comando, comando_id, traza))
        self.en_curso.append(en_curso)

    async def cuenta(self) -> CuentaDeClics:
        return CuentaDeClics(en_espera=len(self.guardados), perdidos=self.perdidos)
