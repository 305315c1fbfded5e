"""Las órdenes compuestas: lo que se ejecuta una vez y termina, cada una con lo que necesita abierto.

Qué es: una función por orden de la terminal; abre, llama a quien hace el trabajo y cierra.
Qué no es: el trabajo (`infraestructura/operacion`), ni lo que se le dice a una persona (`cli`).
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection

from alpespartners.api.tracking.rutas import clase_en_http
from alpespartners.composicion.adaptadores import (
    CUENTAS,
    ahora,
    base_datos,
    conectar,
    lector,
    revisor,
    secretos_de_enlaces,
)
from alpespartners.composicion.inicio import empezar
from alpespartners.config import Configuracion
from alpespartners.modulos.claves.aplicacion.creacion import ClavePedida, nueva_clave
from alpespartners.modulos.claves.aplicacion.llavero import SEGUNDOS_DE_VIGENCIA, Lectura
from alpespartners.modulos.claves.dominio.clave import ClaveGuardada
from alpespartners.modulos.claves.infraestructura.almacen import agregar, leer_si_cambiaron, revocar
from alpespartners.modulos.enlaces.aplicacion.edicion import enlace_cambiado, enlace_nuevo
from alpespartners.modulos.enlaces.aplicacion.firma import por_firmar
from alpespartners.modulos.enlaces.aplicacion.puertos import Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.destino_firmado import ruta_firmada
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.infraestructura import almacen as almacen_de_enlaces
from alpespartners.modulos.informes.aplicacion.informe import Informe
from alpespartners.modulos.informes.aplicacion.informe import hacer_informe as informe_de
from alpespartners.modulos.informes.aplicacion.pedido import PedidoDeInforme
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.informes.infraestructura.lecturas import LecturaDeCuentasSQL
from alpespartners.modulos.informes.infraestructura.recuento import (
    FRAGMENTO_DE_CORRECCIONES,
    NoHuboManera,
    Recontado,
    Recuento,
)
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.conciliacion import Cuenta, Hallazgo
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import Historia, SinNoticias
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    consultar_destino as destino_de,
)
from alpespartners.modulos.tracking.aplicacion.consultas.contar_consumidores import consumidores_vivos
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import PeticionCorriente
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    PaginaDestinos,
    PeticionDestinos,
)
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    listar_destinos as pagina_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BaseDatosOcupada,
    BrokerNoDisponible,
    Consulta,
)
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.operacion.cartas import (
    Carta,
    Reinyeccion,
    leer_cartas,
    reinyecciones,
    reinyectar,
    sobre_reinyectado,
)
from alpespartners.modulos.tracking.infraestructura.operacion.conciliador import Conciliador
from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import Reclasificado
from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import (
    reclasificar as reclasificar_con,
)
from alpespartners.modulos.tracking.infraestructura.operacion.reconstructor import Reconstructor, Reconstruido
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import FalloDelBroker
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.traspaso.exportacion import PedidoDeExportacion
from alpespartners.traspaso.exportacion import exportar as exportar_a
from alpespartners.traspaso.formatos import EnCSV, EnNDJSON, FaltaAlgoInstalado, Formato

T = TypeVar("T")

_MARGEN: Final = 0.5
_ENLACES_DE_UNA_VEZ: Final = 1_000
SEGUNDOS_TRAS_REVOCAR: Final = SEGUNDOS_DE_VIGENCIA + _MARGEN
"""Tras ellos, todo proceso que pueda leer las claves ha leído que una se revocó."""


def migrar(configuracion: Configuracion) -> None:
    """Lleva la base de datos al esquema de esta versión.

    Raises:
        ErrorDeArranque: no se puede abrir o migrar.
    """
    empezar(configuracion, "migrar")
    base_datos(configuracion).migrar()


def cartas(
    configuracion: Configuracion, topicos: Sequence[str]
) -> Iterator[tuple[Carta, Sequence[Reinyeccion]]]:
    """Recorre las cartas muertas de esos tópicos de comandos, de la más antigua a la más nueva, sin tocarlas.

    Cada una, con lo que fue de ella si se reinyectó.

    Raises:
        BaseDatosNoDisponible: la base de datos no se puede leer.
        BrokerNoDisponible: el broker no responde.
        FilaIlegible: otra mano cambió la fila de un evento reinyectado.
    """
    empezar(configuracion, "cartas")
    with ExitStack() as pila:
        bucle = pila.enter_context(asyncio.Runner())
        lecturas = base_datos(configuracion).lecturas()
        pila.callback(lecturas.cerrar)
        cliente, _ = conectar(configuracion, pila)
        for carta in pila.enter_context(closing(leer_cartas(cliente, topicos))):
            yield carta, bucle.run(lecturas.leer(partial(reinyecciones, carta)))


def reinyectar_cartas(
    configuracion: Configuracion,
    topico: str,
    elegir: Callable[[Carta], bool],
    *,
    a: str,
    quitar: Collection[str],
) -> int:
    """Envía otra vez al tópico `a` las cartas elegidas de `topico`, y devuelve cuántas.

    Raises:
        BrokerNoDisponible: el broker no responde; repetirlo es seguro.
        ValueError: una de las cartas está recortada.
    """
    empezar(configuracion, "cartas")
    with ExitStack() as pila:
        cliente, _ = conectar(configuracion, pila)
        todas = pila.enter_context(closing(leer_cartas(cliente, [topico])))
        sobres = [sobre_reinyectado(carta, a, quitar) for carta in todas if elegir(carta)]
        return reinyectar(cliente, a, sobres)


def consultar_destino(
    configuracion: Configuracion, clase: Clase, evento_id: str
) -> tuple[Historia | SinNoticias, int | None]:
    """Devuelve qué fue de ese `id` y cuántos consumidores viven (`None`: no se sabe). Solo lee.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
        FilaIlegible: otra mano cambió su fila.
    """

    async def leer(lecturas: LecturasDelLibro) -> tuple[Historia | SinNoticias, int | None]:
        hallado = await lecturas.leer(lambda consulta: destino_de(consulta, clase, evento_id))
        return hallado, await consumidores_vivos(lecturas)

    return _leyendo(configuracion, leer)


def listar_destinos(configuracion: Configuracion, peticion: PeticionDestinos) -> PaginaDestinos:
    """Devuelve una página de los destinos de todos los envíos. Solo lee.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
        FilaIlegible: otra mano cambió una de las filas.
    """

    async def leer(lecturas: LecturasDelLibro) -> PaginaDestinos:
        return await lecturas.leer(lambda consulta: pagina_de_destinos(consulta, peticion))

    return _leyendo(configuracion, leer)


def hacer_informe(configuracion: Configuracion, pedido: PedidoDeInforme) -> Informe:
    """Devuelve el informe pedido. Solo lee.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
        InformeImposible: no cabe en una respuesta.
        UsuariosIlegibles: se piden, y los de un día no se entienden.
    """

    async def leer(lecturas: LecturasDelLibro) -> Informe:
        de_campañas = LecturaDeCuentasSQL(lecturas, hechos())
        return await informe_de(de_campañas, pedido, de_campañas)

    return _leyendo(configuracion, leer)


def exportar(
    configuracion: Configuracion,
    clase: Clase,
    peticion: PeticionCorriente,
    *,
    formato: str,
    ruta: Path,
    reemplazar: bool,
    avanza: Callable[[str, int], None],
) -> int:
    """Deja en un archivo los eventos de una clase y devuelve cuántos. Solo lee de la base de datos.

    Args:
        configuracion: la de la base de datos.
        clase: la de los eventos.
        peticion: cuáles; sin cursor.
        formato: `csv`, `ndjson` o `parquet`.
        ruta: el archivo.
        reemplazar: si puede estar ya, él o lo que otro pedido dejó a medias.
        avanza: recibe qué se hace y cuánto más.

    Raises:
        BaseDatosNoDisponible: la base de datos no se puede leer; repetirlo sigue donde estaba.
        FaltaAlgoInstalado: no está la biblioteca de ese formato.
        FilaIlegible: otra mano cambió una de las filas.
        NoCuadra: el archivo no tiene las filas que hay en el libro.
        NoSePuedeExportar: algo junto al archivo, o en el libro, lo impide.
    """
    en_http = clase_en_http(clase)
    pedido = PedidoDeExportacion(
        clase=en_http,
        filtro=peticion.filtro,
        formato=_formato(formato, en_http.forma),
        identidad=f"{formato} {peticion.atadura}",
        ruta=ruta,
        reemplazar=reemplazar,
    )
    with ExitStack() as pila:
        lecturas = base_datos(configuracion).lecturas()
        pila.callback(lecturas.cerrar)
        bucle = pila.enter_context(asyncio.Runner())

        def leer(consulta: Callable[[Consulta], T]) -> T:
            return bucle.run(lecturas.leer(consulta))

        return exportar_a(leer, pedido, avanza=avanza)


def conciliar(
    configuracion: Configuracion,
    *,
    al_hallar: Callable[[Hallazgo], None],
    al_diferir: Callable[[Diferencia | DiferenciaDeUsuarios], None],
    avanza: Callable[[str, int], None],
    espera: float,
    margen: float,
) -> list[Cuenta]:
    """Compara los tópicos y los informes con la base de datos y devuelve la cuenta de cada tópico. Solo lee.

    Raises:
        BaseDatosNoDisponible: la base de datos no se puede leer.
        BrokerNoDisponible: el broker no responde.
        CuentaIlegible: no se entiende lo que dice una fila o una cuenta de los informes.
        ErrorDeArranque: los ajustes no valen.
        EsquemaDesconocido: hay eventos que publicó una versión posterior.
    """
    with ExitStack() as pila:
        # Con su plazo: recontar unas semanas de una campaña puede ser más que una lectura corta.
        lecturas = base_datos(configuracion).reparaciones()
        pila.callback(lecturas.cerrar)
        cliente, epoca = conectar(configuracion, pila)
        administracion = revisor(configuracion)
        conciliador = Conciliador(
            cliente,
            epoca,
            lecturas,
            al_hallar=al_hallar,
            avanza=avanza,
            espera=espera,
            margen=timedelta(seconds=margen),
            confirmado=_nada_se_sabe_confirmado if administracion is None else administracion.confirmado,
        )
        try:
            cuentas = conciliador.conciliar()
        except FalloDelBroker as fallo:
            raise BrokerNoDisponible(str(fallo)) from fallo
        Recuento(
            hechos(), leer=lecturas.leer_libro, escribir=None, al_hallar=al_diferir, avanza=avanza
        ).recontar()
        return cuentas


def recontar(
    configuracion: Configuracion,
    *,
    corregir: bool,
    al_hallar: Callable[[Diferencia | DiferenciaDeUsuarios], None],
    avanza: Callable[[str, int], None],
) -> Recontado:
    """Compara las cuentas de los informes con las filas y, si se pide, las corrige, con todo en marcha.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo es seguro.
        ErrorDeArranque: los ajustes no valen.
    """
    reparaciones = base_datos(configuracion).reparaciones()

    def escribir(trabajo: Callable[[Connection], T]) -> T:
        try:
            return reparaciones.escribir(trabajo)
        except BaseDatosOcupada as ocupada:
            raise NoHuboManera(
                f"No se pudo corregir todo, porque se está escribiendo en ello ({ocupada}): repita la orden."
            ) from ocupada

    try:
        return Recuento(
            hechos(),
            leer=reparaciones.leer_libro,
            escribir=escribir if corregir else None,
            al_hallar=al_hallar,
            avanza=avanza,
        ).recontar()
    finally:
        reparaciones.cerrar()


def reclasificar(
    configuracion: Configuracion,
    *,
    campaña_id: str | None,
    escribir: bool,
    avanza: Callable[[str, int], None],
) -> Reclasificado:
    """Lee otra vez, con las reglas de hoy, la procedencia de lo registrado, con todo en marcha.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; lo hecho vale, y repetirlo es seguro.
        ErrorDeArranque: los ajustes no valen, o no se puede escribir mientras viva el consumidor.
        FilaIlegible: otra mano cambió una de las filas.
    """
    de_procedencias = lector(configuracion, lambda _paso: None)
    reparaciones = base_datos(configuracion).reparaciones()
    try:
        return reclasificar_con(
            reparaciones,
            de_procedencias,
            lambda conexion: CUENTAS.en(conexion, FRAGMENTO_DE_CORRECCIONES),
            campaña_id=campaña_id,
            escribir=escribir,
            avanza=avanza,
        )
    finally:
        reparaciones.cerrar()


def reconstruir(configuracion: Configuracion, *, avanza: Callable[[str, int], None]) -> list[Reconstruido]:
    """Deja entera, con lo que guardan los tópicos, una base de datos vacía.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo es seguro.
        BrokerNoDisponible: el broker no respondió; repetirlo es seguro.
        ErrorDeArranque: hay consumidores vivos, la base de datos no está vacía o no se puede abrir.
        EsquemaDesconocido: hay mensajes de una versión posterior; ella puede repetirlo.
    """
    with ExitStack() as pila:
        base = base_datos(configuracion)
        lecturas = base.lecturas()
        pila.callback(lecturas.cerrar)
        libro = base.libro()
        # Antes de abrir el libro, que se cuenta a sí mismo.
        if asyncio.run(lecturas.consumidores()):
            raise ErrorDeArranque("Hay consumidores en marcha: deténgalos antes de reconstruir.")
        libro.abrir()
        pila.callback(libro.cerrar)
        reparaciones = base.reparaciones(con_el_turno=True)
        pila.callback(reparaciones.cerrar)
        recuento = Recuento(
            hechos(),
            leer=reparaciones.leer_libro,
            escribir=reparaciones.escribir,
            al_hallar=lambda _diferencia: None,
            avanza=avanza,
        )
        cliente, epoca = conectar(configuracion, pila)
        de_procedencias = lector(configuracion, lambda _paso: None)
        reconstructor = Reconstructor(
            cliente,
            epoca,
            libro,
            lecturas,
            manejadores=[ManejadorDeRegistro(clase, de_procedencias) for clase in CLASES],
            reloj=ahora,
            avanza=avanza,
            recontar=recuento.recontar,
            ajenas=configuracion.esquemas_ajenos,
        )
        try:
            return asyncio.run(reconstructor.reconstruir())
        except FalloDelBroker as fallo:
            raise BrokerNoDisponible(str(fallo)) from fallo


def crear_clave(configuracion: Configuracion, pedida: ClavePedida) -> tuple[ClaveGuardada, str, bool]:
    """Guarda una clave y la devuelve con su texto, que no se puede volver a saber, y con si es la primera.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; quizá se guardó, y sin su texto no sirve.
        ClaveImposible: lo que se pide no vale.
        ErrorDeArranque: los ajustes no valen, o no se puede escribir en la base de datos.
    """
    guardada, texto = nueva_clave(pedida, ahora())
    es_la_primera = _escribiendo(configuracion, lambda conexion: agregar(conexion, guardada))
    return guardada, texto, es_la_primera and not configuracion.claves_api


def listar_claves(configuracion: Configuracion) -> Lectura:
    """Lee las claves guardadas, valgan o no, de la más antigua a la más nueva; las que no entiende, aparte.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
    """

    async def leer(lecturas: LecturasDelLibro) -> Lectura:
        return await lecturas.en_transaccion(lambda conexion: leer_si_cambiaron(conexion, None))

    return _leyendo(configuracion, leer)


def revocar_clave(
    configuracion: Configuracion, identidad: str, esperar: Callable[[float], None]
) -> datetime | None:
    """Revoca una clave y vuelve cuando ningún proceso la admite; devuelve desde cuándo no vale.

    `None` es que no existe. Un proceso que no puede leer la base de datos la admite hasta que pueda.

    Args:
        configuracion: la de la base de datos.
        identidad: la de la clave.
        esperar: deja pasar esos segundos.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo es seguro.
        ErrorDeArranque: los ajustes no valen, o no se puede escribir en la base de datos.
    """
    revocada_en = _escribiendo(configuracion, lambda conexion: revocar(conexion, identidad, ahora()))
    if revocada_en is not None:
        esperar(SEGUNDOS_TRAS_REVOCAR)
    return revocada_en


def crear_enlace(configuracion: Configuracion, pedido: Mapping[str, object]) -> tuple[Enlace, bool]:
    """Guarda un enlace y lo devuelve, con si es nuevo: el que ya estaba puede no decir lo mismo.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; con su `enlace_id`, repetirlo es seguro.
        DatosInvalidos: lo que se pide no vale.
        ErrorDeArranque: los ajustes no valen, o no se puede escribir en la base de datos.
    """
    enlace = enlace_nuevo(pedido, ahora())
    queda, es_nuevo = _escribiendo(
        configuracion, lambda conexion: almacen_de_enlaces.agregar(conexion, enlace)
    )
    return queda, es_nuevo or queda.dice_lo_mismo(enlace)


def cambiar_enlace(
    configuracion: Configuracion, enlace_id: str, cambios: Mapping[str, object]
) -> Enlace | None:
    """Cambia un enlace y devuelve cómo queda; `None`, si no existe.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo es seguro.
        DatosInvalidos: lo que se pide no vale.
        ErrorDeArranque: los ajustes no valen, o no se puede escribir en la base de datos.
    """
    return _escribiendo(
        configuracion,
        lambda conexion: almacen_de_enlaces.cambiar(
            conexion, enlace_id, lambda enlace: enlace_cambiado(enlace, cambios)
        ),
    )


def ver_enlace(configuracion: Configuracion, enlace_id: str) -> Enlace | None:
    """Lee un enlace; `None`, si no existe.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
    """

    async def leer(lecturas: LecturasDelLibro) -> Enlace | None:
        return await lecturas.en_transaccion(lambda conexion: almacen_de_enlaces.leer(conexion, enlace_id))

    return _leyendo(configuracion, leer)


def listar_enlaces(configuracion: Configuracion, filtro: Filtro) -> list[Enlace]:
    """Lee los enlaces, del último que se hizo al primero.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
    """

    async def leer(lecturas: LecturasDelLibro) -> list[Enlace]:
        todos: list[Enlace] = []
        lugar: Lugar | None = None
        while pagina := await lecturas.en_transaccion(
            partial(almacen_de_enlaces.listar, filtro=filtro, despues_de=lugar, limite=_ENLACES_DE_UNA_VEZ)
        ):
            todos += pagina
            lugar = Lugar(pagina[-1].creado_en, pagina[-1].enlace_id)
        return todos

    return _leyendo(configuracion, leer)


def firmar_destino(configuracion: Configuracion, enlace_id: str, pedido: Mapping[str, object]) -> str | None:
    """La ruta del enlace corto que lleva a otro destino; `None`, si no existe el enlace.

    Raises:
        DatosInvalidos: lo que se pide no vale.
        ErrorDeArranque: la base de datos no se puede leer.
    """

    async def leer(lecturas: LecturasDelLibro) -> str | None:
        enlace = await lecturas.en_transaccion(lambda conexion: almacen_de_enlaces.leer(conexion, enlace_id))
        if enlace is None:
            return None
        destino, vence_en = por_firmar(enlace, pedido, ahora())
        secreto = (await secretos_de_enlaces(configuracion, lecturas).todos())[0]
        return ruta_firmada(secreto, enlace, destino, vence_en)

    return _leyendo(configuracion, leer)


def _escribiendo(configuracion: Configuracion, trabajo: Callable[[Connection], T]) -> T:
    """Escribe en la base de datos, esté lo demás en marcha o no; si es un SQLite nuevo, lo crea."""
    base = base_datos(configuracion)
    base.dejar_lista(migra=False)
    reparaciones = base.reparaciones()
    try:
        return reparaciones.escribir(trabajo)
    finally:
        reparaciones.cerrar()


def _formato(nombre: str, forma: type[msgspec.Struct]) -> Formato:
    """El que se llama así, para esos eventos."""
    match nombre:
        case "csv":
            return EnCSV(forma)
        case "ndjson":
            return EnNDJSON(forma)
        case _:
            try:
                from alpespartners.traspaso.parquet import EnParquet
            except ModuleNotFoundError:
                raise FaltaAlgoInstalado(
                    "Para Parquet hace falta pyarrow: .venv/bin/python -m pip install --require-hashes "
                    "-r requisitos/parquet.txt"
                ) from None
            return EnParquet(forma)


def _leyendo(configuracion: Configuracion, leer: Callable[[LecturasDelLibro], Coroutine[Any, Any, T]]) -> T:
    """Lee de la base de datos, esté lo demás en marcha o no."""
    lecturas = base_datos(configuracion).lecturas()
    try:
        return asyncio.run(leer(lecturas))
    except BaseDatosNoDisponible as error:
        frase = str(error).removesuffix(".")
        raise ErrorDeArranque(
            f"No se puede leer la base de datos de {configuracion.lugar}: {frase}."
        ) from None
    finally:
        lecturas.cerrar()


def _nada_se_sabe_confirmado(_topico: str) -> None:
    """Sin administración no se sabe qué está confirmado."""
