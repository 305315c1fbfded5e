"""Unos tópicos de eventos en memoria, que se siguen y se repasan como los de verdad."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from alpespartners.modulos.tracking.aplicacion.clases import clase_de
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Posiciones
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado, Receptor
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from tests.apoyo.eventos import AHORA


class TopicosQueNoHay:
    """Los de una API sin ellos: quien mira acaba enseguida."""

    epoca = "ninguna"

    async def seguir(self, receptor: Receptor) -> None:  # noqa: ARG002
        raise BrokerNoDisponible

    async def finales(self) -> Posiciones:
        raise BrokerNoDisponible

    async def repasar(self, *_: object) -> list[Publicado] | None:
        raise BrokerNoDisponible


class TopicosEnMemoria:
    """Un canal por clase; cada `TopicosEnMemoria` que comparte `guardados` es el lector de un proceso.

    Attributes:
        lectores: cuántos siguen los tópicos ahora.
        abiertos: cuántos lo han hecho alguna vez.
        repasos: cuántas veces se repasó.
        repasado: lo que se devolvió la última.
        falla: lo que lanza al repasar, si algo.
        al_repasar: lo que pasa mientras se repasa.
        puede_situar: sin él, no se sabe por dónde se lee.
        puede_cerrar: sin él, quien deja de leer no acaba.
    """

    def __init__(self, guardados: dict[str, list[Publicado]] | None = None, epoca: str = "epoca") -> None:
        self.guardados = defaultdict[str, list[Publicado]](list) if guardados is None else guardados
        self.epoca = epoca
        self.receptor: Receptor | None = None
        self.lectores = self.abiertos = self.repasos = 0
        self.repasado: list[Publicado] | None = None
        self.falla: Exception | None = None
        self.al_repasar: Callable[[], None] = lambda: None
        self.puede_situar, self.puede_cerrar = asyncio.Event(), asyncio.Event()
        self.puede_situar.set()
        self.puede_cerrar.set()
        self.roto: asyncio.Future[None] | None = None

    def publicar(self, *eventos: EventoSeguido[Any], de_otra_version: str | None = None) -> None:
        """Guarda cada uno al final de su canal y se lo entrega a quien lo sigue."""
        nuevos = []
        for evento in eventos:
            clase = clase_de(evento)
            canal = self.guardados.setdefault(clase.nombre, [])
            nuevos.append(
                Publicado(
                    canal=clase.nombre,
                    lugar=(1, len(canal), -1),
                    clase=clase,
                    campaña_id=de_otra_version or evento.contenido.campaña_id,
                    evento=None if de_otra_version else evento,
                    publicado_en=AHORA + timedelta(seconds=len(canal)),
                    octetos=500,
                )
            )
            canal.append(nuevos[-1])
        if self.receptor is not None:
            self.receptor.recibir(nuevos)

    async def seguir(self, receptor: Receptor) -> None:
        self.lectores += 1
        self.abiertos += 1
        try:
            await self.puede_situar.wait()
            receptor.situar(await self.finales())
            self.receptor = receptor
            self.roto = asyncio.get_running_loop().create_future()
            await self.roto
        finally:
            self.receptor = None
            await self.puede_cerrar.wait()
            self.lectores -= 1

    async def finales(self) -> Posiciones:
        return {
            nombre: (canal[-1].lugar if (canal := self.guardados.get(nombre)) else PRINCIPIO)
            for nombre in ("impresion", "conversion")
        }

    async def repasar(
        self, desde: Posiciones, hasta: Posiciones, maximo: int, maximo_octetos: int
    ) -> list[Publicado] | None:
        self.repasos += 1
        self.al_repasar()
        if self.falla is not None:
            raise self.falla
        entre = [
            publicado
            for nombre, canal in self.guardados.items()
            for publicado in canal
            if desde.get(nombre, PRINCIPIO) < publicado.lugar <= hasta.get(nombre, PRINCIPIO)
        ]
        cabe = len(entre) <= maximo and sum(publicado.octetos for publicado in entre) <= maximo_octetos
        self.repasado = entre if cabe else None
        return self.repasado


class Reloj:
    """Una hora que solo cambia cuando la prueba lo dice."""

    def __init__(self) -> None:
        self.hora: datetime = AHORA

    def __call__(self) -> datetime:
        return self.hora
