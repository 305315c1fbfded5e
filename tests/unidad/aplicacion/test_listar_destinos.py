"""La lista de destinos: cada comando procesado está una vez, se recorra como se recorra."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    DestinoListado,
    listar_destinos,
    peticion_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, MensajeIlegible
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, ilegible, recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria

MINUTO = timedelta(minutes=1)

# Pocos ids, contenidos e instantes: así chocan, y los empates se reparten entre todas las fuentes.
_ENVIOS = st.lists(
    st.tuples(
        st.sampled_from(["impresion", "conversion", "ilegible"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["cmp-1", "cmp-2"]),
        st.sampled_from(["COP", "ZZZ"]),
        st.sampled_from([None, "otro"]),
        st.integers(0, 2),
    ),
    max_size=30,
)


def _asentar(libro: TransaccionEnMemoria, envios: list[tuple[str, str, str, str, str | None, int]]) -> None:
    for numero, (que, id_evento, campaña_id, moneda, agente, minuto) in enumerate(envios):
        cambios = {"id": id_evento, "campaña_id": campaña_id, "user_agent": agente}
        comando_id = f"c-{numero:02}"
        clase: Clase = clases.CONVERSIONES
        mensaje: ComandoRecibido | MensajeIlegible
        if que == "ilegible":
            mensaje = ilegible(comando_id, clave=id_evento)
        elif que == "impresion":
            clase, mensaje = clases.IMPRESIONES, recibido(replace(IMPRESION, **cambios), comando_id)  # type: ignore[arg-type]
        else:
            venta = replace(CONVERSION, valor=Decimal(1), moneda=moneda, **cambios)  # type: ignore[arg-type]
            mensaje = recibido(venta, comando_id)
        ManejadorDeRegistro(clase).manejar([mensaje], libro, AHORA + minuto * MINUTO)


def _recorrer(libro: TransaccionEnMemoria, limite: int, **filtros: str) -> list[DestinoListado]:
    hallados: list[DestinoListado] = []
    cursor: dict[str, str] = {}
    while True:
        pagina = listar_destinos(libro, peticion_de_destinos({"limite": str(limite), **filtros, **cursor}))
        assert len(pagina.elementos) <= limite
        hallados += pagina.elementos
        if pagina.siguiente is None:
            return hallados
        assert len(pagina.elementos) == limite
        cursor = {"cursor": pagina.siguiente}


@given(envios=_ENVIOS, limite=st.integers(1, 7))
def test_cada_comando_esta_una_vez_se_pida_de_cuantos_en_cuantos_se_pida(
    envios: list[tuple[str, str, str, str, str | None, int]], limite: int
) -> None:
    libro = TransaccionEnMemoria()
    _asentar(libro, envios)
    hallados = _recorrer(libro, limite)
    assert sorted(h.comando_id for h in hallados) == [f"c-{numero:02}" for numero in range(len(envios))]
    assert hallados == _recorrer(libro, 1_000)
    instantes: list[datetime] = [h.decidido_en for h in hallados]
    assert instantes == sorted(instantes, reverse=True)


@given(envios=_ENVIOS, limite=st.integers(1, 7))
def test_un_filtro_da_los_mismos_que_quedarse_con_los_que_lo_cumplen(
    envios: list[tuple[str, str, str, str, str | None, int]], limite: int
) -> None:
    libro = TransaccionEnMemoria()
    _asentar(libro, envios)
    todos = _recorrer(libro, 1_000)
    for estado in ("REGISTRADA", "DUPLICADA", "RECHAZADA", "ILEGIBLE"):
        assert _recorrer(libro, limite, estado=estado) == [h for h in todos if h.destino.estado == estado]
    assert _recorrer(libro, limite, campaña_id="cmp-1") == [h for h in todos if h.campaña_id == "cmp-1"]
    assert _recorrer(libro, limite, clase="conversion") == [
        h for h in todos if h.clase.nombre == "conversion"
    ]
    desde = (AHORA + MINUTO).isoformat()
    assert _recorrer(libro, limite, desde=desde) == [h for h in todos if h.decidido_en >= AHORA + MINUTO]
    assert _recorrer(libro, limite, hasta=desde) == [h for h in todos if h.decidido_en < AHORA + MINUTO]


@given(envios=_ENVIOS)
def test_de_todo_lo_que_se_pudo_leer_se_dice_que_se_envio(
    envios: list[tuple[str, str, str, str, str | None, int]],
) -> None:
    libro = TransaccionEnMemoria()
    _asentar(libro, envios)
    for hallado in _recorrer(libro, 1_000):
        que, id_evento, campaña_id, _, agente, _ = envios[int(hallado.comando_id.removeprefix("c-"))]
        if que == "ilegible":
            assert hallado.enviado is None
        else:
            assert hallado.enviado is not None
            dicho = hallado.enviado["id"], hallado.enviado["campaña_id"], hallado.enviado["user_agent"]
            assert dicho == (id_evento, campaña_id, agente)
