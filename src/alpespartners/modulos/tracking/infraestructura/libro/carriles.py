"""Los carriles, en SQL: hasta cuál de las filas de cada consumidor está publicado su evento.

Qué es: un carril por consumidor y tópico. Cada fila del libro lleva el de quien la escribió, y él las escribe
de lote en lote: por orden de llegada, hasta `publicado_hasta` están todas publicadas, y detrás puede faltar
alguna. Quien escribe lo tiene arrendado; si muere, el arriendo vence, otro lo toma y sigue desde ahí.
Qué no es: una copia de los eventos; la fila es el evento. Lo que se publica otra vez lleva el mismo `ce_id`.
Por qué existe: guardar cada evento en una bandeja y borrarlo de ella eran dos escrituras más por evento.

Solo se escribe detrás de lo último que se sabe que se escribió. Quien perdió su carril (se detuvo más que su
arriendo), o no supo en qué acabó su última transacción, no llega a escribir en él: su lote se repite en otro
carril. Así, quien toma el anterior sabe que está completo, y nadie da por publicado lo que no llegó a ver.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.infraestructura.libro.filas import a_entidad, tabla_de
from alpespartners.modulos.tracking.infraestructura.libro.tablas import carriles as tabla
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import evento_de, sobre_de_evento
from alpespartners.seedwork.sql.tipos import RelojDeLaBase

CARRILES_POR_BARRIDO: Final = 16
"""Los que se toman de una vez de quienes murieron; los demás, en el barrido siguiente."""

_ABANDONADO_TRAS: Final = timedelta(days=1)
"""Cuánto se conserva, sin nada pendiente, el carril de quien no se despidió."""

_SIN_FILAS: Final = 0
"""Ninguna fila tiene ese número de llegada."""

_NADIE: Final = ""
"""El titular de un carril que se soltó: ni quien lo escribía puede seguir en él."""

_CON_ALGO_PENDIENTE: Final = tabla.c.publicado_hasta < tabla.c.ultimo

_CLASE_DEL_TOPICO: Final = {clase.topico_de_eventos: clase for clase in CLASES}


class CarrilPerdido(Exception):
    """En el carril no se puede seguir; repetir la transacción le da a quien escribe uno nuevo.

    Attributes:
        numero: el del carril.
    """

    def __init__(self, numero: int) -> None:
        super().__init__(f"en el carril {numero} no se puede seguir")
        self.numero = numero


class CarrilPropio(NamedTuple):
    """Un carril de este proceso, y el número de llegada de lo último que sabe que escribió en él."""

    numero: int
    ultimo: int


class Avance(NamedTuple):
    """Lo que quien publica sabe de un carril: hasta dónde está todo, y cuántas son hasta ahí y en total."""

    numero: int
    publicado_hasta: int
    seguidas: int
    publicadas: int


class CarrilTomado(NamedTuple):
    """Un carril de quien murió: falta de `publicado_hasta` a `ultimo`; las de antes son `seguidas`."""

    numero: int
    topico: str
    publicado_hasta: int
    ultimo: int
    seguidas: int


class Trozo(NamedTuple):
    """Las filas de un carril que se piden: hasta `limite`, de las que van detrás de una y hasta otra."""

    numero: int
    topico: str
    despues_de: int
    hasta: int
    limite: int


class CarrilesSQL:
    """Los carriles, sobre una conexión con una transacción abierta.

    Args:
        conexion: la de la transacción.
        titular: quién es este proceso; no se repite.
        arriendo: lo que tarda en vencer un carril que nadie usa.
    """

    def __init__(self, conexion: Connection, titular: str, arriendo: timedelta) -> None:
        self._conexion = conexion
        self._titular = titular
        self._arriendo = arriendo

    def abrir(self, clase: Clase) -> CarrilPropio:
        """Abre un carril de este proceso para los eventos de esa clase."""
        numero: int = self._conexion.execute(
            _apertura(self._arriendo), {"topico": clase.topico_de_eventos, "titular": self._titular}
        ).scalar_one()
        return CarrilPropio(numero, _SIN_FILAS)

    def depositar(self, carril: CarrilPropio, numeros: Sequence[int]) -> CarrilPropio:
        """Deja pendientes unas filas nuevas de un carril de este proceso, y renueva su arriendo.

        Args:
            carril: el suyo, hasta ahora.
            numeros: los de llegada de las filas, en orden.

        Returns:
            El mismo, con ellas.

        Raises:
            CarrilPerdido: es de otro, o en él hay más de lo que se sabía.
        """
        valores = {
            "primera": numeros[0],
            "ultima": numeros[-1],
            "cuantas": len(numeros),
            "sabido": carril.ultimo,
        }
        if not self._cambiar(_deposito(self._arriendo), carril.numero, valores):
            raise CarrilPerdido(carril.numero)
        return CarrilPropio(carril.numero, numeros[-1])

    def avanzar(self, avances: Sequence[Avance]) -> set[int]:
        """Anota lo publicado de unos carriles, y renueva su arriendo; devuelve los que son ya de otro.

        Anotar dos veces lo mismo no cambia nada.
        """
        cambio = _avance(self._arriendo)
        return {
            numero
            for numero, hasta, seguidas, publicadas in sorted(avances)
            if not self._cambiar(
                cambio, numero, {"hasta": hasta, "seguidas_ya": seguidas, "publicadas_ya": publicadas}
            )
        }

    def tomar_vencidos(self) -> list[CarrilTomado]:
        """Toma carriles con algo pendiente que nadie tiene, y olvida los que se abandonaron sin nada."""
        self._conexion.execute(
            delete(tabla).where(
                ~_CON_ALGO_PENDIENTE, tabla.c.arriendo_hasta < RelojDeLaBase(-_ABANDONADO_TRAS)
            )
        )
        # Los que otro está tomando, o su dueño usando, no se esperan.
        vencidos = self._conexion.execute(
            select(tabla.c.numero, tabla.c.topico, tabla.c.publicado_hasta, tabla.c.ultimo, tabla.c.seguidas)
            .where(tabla.c.arriendo_hasta <= RelojDeLaBase(), _CON_ALGO_PENDIENTE)
            .order_by(tabla.c.numero)
            .limit(CARRILES_POR_BARRIDO)
            .with_for_update(skip_locked=True)
        )
        tomados = [CarrilTomado(*fila) for fila in vencidos]
        self._conexion.execute(
            update(tabla)
            .where(tabla.c.numero.in_([tomado.numero for tomado in tomados]))
            .values(
                titular=self._titular,
                # Su dueño pudo publicar algunas de detrás, y quien lo toma no sabe cuáles.
                publicadas=tabla.c.seguidas,
                arriendo_hasta=RelojDeLaBase(self._arriendo),
            )
        )
        return tomados

    def soltar(self, numeros: Collection[int]) -> None:
        """Deja de tener unos carriles: sin nada pendiente se olvidan, y los demás los tomará otro."""
        suyos = (tabla.c.numero.in_(list(numeros)), tabla.c.titular == self._titular)
        self._conexion.execute(delete(tabla).where(*suyos, ~_CON_ALGO_PENDIENTE))
        self._conexion.execute(
            update(tabla).where(*suyos).values(titular=_NADIE, arriendo_hasta=RelojDeLaBase())
        )

    def soltar_todos(self) -> None:
        """Da por vencidos todos los arriendos; solo para quien sabe que nadie más publica."""
        self._conexion.execute(update(tabla).values(arriendo_hasta=RelojDeLaBase()))

    def leer(self, trozo: Trozo) -> list[tuple[int, Sobre | FilaIlegible]]:
        """Devuelve, por orden de llegada, el número de cada fila y su evento, sin la traza de su comando.

        O por qué no se puede leer, si otra mano cambió la fila: no estorba a las demás.
        """
        clase = _CLASE_DEL_TOPICO[trozo.topico]
        suyas = tabla_de(clase)
        consulta = (
            select(suyas)
            .where(*_tramo(suyas, trozo.numero, trozo.despues_de, trozo.hasta))
            .order_by(suyas.c.secuencia)
            .limit(trozo.limite)
        )
        try:
            return self._leidas(clase, consulta)
        except FilaIlegible:
            # Cuáles lo son se sabe leyéndolas de una en una.
            numeros = self._conexion.scalars(consulta.with_only_columns(suyas.c.secuencia)).all()
            return [self._una(clase, suyas, numero) for numero in numeros]

    def _una(self, clase: Clase, suyas: Table, numero: int) -> tuple[int, Sobre | FilaIlegible]:
        try:
            return self._leidas(clase, select(suyas).where(suyas.c.secuencia == numero))[0]
        except FilaIlegible as ilegible:
            return numero, ilegible

    def _leidas(self, clase: Clase, consulta: Select[Any]) -> list[tuple[int, Sobre | FilaIlegible]]:
        try:
            filas = self._conexion.execute(consulta)
            return [(f.secuencia, sobre_de_evento(evento_de(a_entidad(clase, f)), None)) for f in filas]
        except (DBAPIError, FilaIlegible):
            raise
        except Exception as error:
            # Otra mano escribió en una columna lo que no es de su tipo: no es JSON, o no es un número.
            raise FilaIlegible(
                f"una fila de {clase.plural} no se entiende: {type(error).__name__}"
            ) from error

    def _cambiar(self, cambio: Update, numero: int, valores: dict[str, int]) -> bool:
        hecho = self._conexion.execute(cambio, {"de_numero": numero, "de_titular": self._titular, **valores})
        return hecho.rowcount == 1


class CarrilesPropios:
    """Los carriles en que escribe este proceso, uno por clase, mientras dura una transacción.

    Args:
        carriles: los de la transacción.
        sabidos: cómo los dejaron las anteriores.

    Attributes:
        cambiados: cómo los deja esta, si llega a su commit.
    """

    def __init__(self, carriles: CarrilesSQL, sabidos: Mapping[Clase, CarrilPropio]) -> None:
        self._carriles = carriles
        self._sabidos = sabidos
        self.cambiados: dict[Clase, CarrilPropio] = {}

    def numero(self, clase: Clase) -> int:
        """El del carril de esa clase; si no lo hay, lo abre."""
        return self._de(clase).numero

    def depositar(self, clase: Clase, numeros: Sequence[int]) -> CarrilPropio:
        """Deja pendientes unas filas nuevas, por sus números de llegada en orden.

        Returns:
            Su carril, como estaba antes de ellas.

        Raises:
            CarrilPerdido: en él no se puede seguir.
        """
        antes = self._de(clase)
        self.cambiados[clase] = self._carriles.depositar(antes, numeros)
        return antes

    def _de(self, clase: Clase) -> CarrilPropio:
        carril = self.cambiados.get(clase) or self._sabidos.get(clase)
        if carril is None:
            carril = self.cambiados[clase] = self._carriles.abrir(clase)
        return carril


def eventos_pendientes(conexion: Connection) -> EnviosPendientes:
    """Cuántas filas tienen su evento por publicar, y cuándo se registró la más antigua de ellas."""
    con_algo = conexion.execute(select(tabla).where(_CON_ALGO_PENDIENTE)).all()
    desde: list[datetime] = []
    for fila in con_algo:
        suyas = tabla_de(_CLASE_DEL_TOPICO[fila.topico])
        primera = conexion.scalar(
            select(suyas.c.registrado_en)
            .where(*_tramo(suyas, fila.numero, fila.publicado_hasta, fila.ultimo))
            .order_by(suyas.c.secuencia)
            .limit(1)
        )
        if primera is not None:
            desde.append(primera)
    return EnviosPendientes(
        cuantos=sum(fila.escritas - fila.publicadas for fila in con_algo), desde=min(desde, default=None)
    )


def ids_pendientes(conexion: Connection, clase: Clase, despues_de: int, limite: int) -> list[tuple[int, str]]:
    """Devuelve el número de llegada y el `id` de hasta `limite` filas por publicar, por ese orden."""
    suyas = tabla_de(clase)
    # Sin esto, por pocas que falten, se recorrería todo el libro.
    desde, hasta = conexion.execute(
        select(func.min(tabla.c.publicado_hasta), func.max(tabla.c.ultimo)).where(
            tabla.c.topico == clase.topico_de_eventos, _CON_ALGO_PENDIENTE
        )
    ).one()
    if desde is None:
        return []
    por_publicar = (
        select(suyas.c.secuencia, suyas.c.id)
        .join(tabla, tabla.c.numero == suyas.c.carril)
        .where(
            suyas.c.secuencia > tabla.c.publicado_hasta,
            suyas.c.secuencia <= tabla.c.ultimo,
            suyas.c.secuencia > max(desde, despues_de),
            suyas.c.secuencia <= hasta,
        )
        .order_by(suyas.c.secuencia)
        .limit(limite)
    )
    return [(fila.secuencia, fila.id) for fila in conexion.execute(por_publicar)]


def _tramo(suyas: Table, numero: int, despues_de: int, hasta: int) -> list[ColumnElement[bool]]:
    secuencia = suyas.c.secuencia
    return [secuencia > despues_de, secuencia <= hasta, suyas.c.carril == numero]


def _del_titular(cambio: Update) -> Update:
    return cambio.where(tabla.c.numero == bindparam("de_numero"), tabla.c.titular == bindparam("de_titular"))


@cache
def _apertura(arriendo: timedelta) -> Insert:
    return (
        insert(tabla)
        .values(
            topico=bindparam("topico"),
            titular=bindparam("titular"),
            publicado_hasta=_SIN_FILAS,
            ultimo=_SIN_FILAS,
            escritas=0,
            seguidas=0,
            publicadas=0,
            arriendo_hasta=RelojDeLaBase(arriendo),
        )
        .returning(tabla.c.numero)
    )


@cache
def _deposito(arriendo: timedelta) -> Update:
    # Si no falta ninguna de las de antes, quien lo tome no tiene por qué recorrer lo que hay entre medias.
    return _del_titular(
        update(tabla).values(
            publicado_hasta=case(
                (_CON_ALGO_PENDIENTE, tabla.c.publicado_hasta),
                else_=bindparam("primera", type_=tabla.c.ultimo.type) - 1,
            ),
            ultimo=bindparam("ultima"),
            escritas=tabla.c.escritas + bindparam("cuantas"),
            arriendo_hasta=RelojDeLaBase(arriendo),
        )
    ).where(tabla.c.ultimo == bindparam("sabido"))


@cache
def _avance(arriendo: timedelta) -> Update:
    hasta = bindparam("hasta", type_=tabla.c.ultimo.type)
    seguidas = bindparam("seguidas_ya", type_=tabla.c.seguidas.type)
    # Un lote que acaba de escribirse pudo llevarlo más allá de lo que quien publica sabe todavía.
    mas_alla = hasta > tabla.c.publicado_hasta
    return _del_titular(
        update(tabla).values(
            publicado_hasta=case((mas_alla, hasta), else_=tabla.c.publicado_hasta),
            seguidas=case((mas_alla, seguidas), else_=tabla.c.seguidas),
            publicadas=bindparam("publicadas_ya"),
            arriendo_hasta=RelojDeLaBase(arriendo),
        )
    )
