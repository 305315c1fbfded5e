"""Qué fue del clic de una conversión: cada causa tiene su motivo."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alpespartners.modulos.enlaces.dominio.clic import acuñar
from alpespartners.modulos.enlaces.dominio.clic_de_conversion import (
    DESAJUSTE,
    EstadoDelClic,
    MotivoDelClic,
    Ocurrencia,
    estado_del_clic,
    motivo_del_clic,
)
from alpespartners.modulos.enlaces.dominio.secreto import Secreto

AHORA = datetime(2026, 11, 29, 12, tzinfo=UTC)
VENTANA = timedelta(days=30)
SECRETO = Secreto(b"el que firma ahora")
CONVERSION = Ocurrencia(campaña_id="cmp-1", ocurrido_en=AHORA)


def clic_de_hace(tiempo: timedelta) -> tuple[str, Ocurrencia]:
    cuando = AHORA - tiempo
    uuid = UUID(int=int(cuando.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)
    return acuñar("juan", SECRETO, uuid), Ocurrencia(campaña_id="cmp-1", ocurrido_en=cuando)


CLIC_ID, CLIC = clic_de_hace(timedelta(hours=1))


def motivo(clic_id: str | None = CLIC_ID, clic: Ocurrencia | None = CLIC) -> MotivoDelClic | None:
    return motivo_del_clic(clic_id, CONVERSION, clic, [SECRETO], VENTANA)


def test_el_registrado_de_su_campaña_y_a_tiempo_vale() -> None:
    assert motivo() is None
    assert estado_del_clic(None) is EstadoDelClic.VALIDO


def test_sin_ninguno_se_dice_que_falta() -> None:
    assert motivo(None, None) is MotivoDelClic.AUSENTE


def test_el_que_no_ha_llegado_puede_llegar() -> None:
    assert motivo(clic=None) is MotivoDelClic.DESCONOCIDO
    assert estado_del_clic(MotivoDelClic.DESCONOCIDO) is EstadoDelClic.EN_ESPERA


def test_el_falsificado_no_vale_aunque_alguien_lo_registre() -> None:
    falso = CLIC_ID[:-5] + ("A" if CLIC_ID[-5] != "A" else "B") + CLIC_ID[-4:]
    assert motivo(falso, None) is MotivoDelClic.FALSIFICADO
    assert motivo(falso) is MotivoDelClic.FALSIFICADO


def test_el_de_otro_servicio_es_ajeno_salvo_que_quien_lleva_sus_clics_lo_registrara() -> None:
    assert motivo("gclid-123", None) is MotivoDelClic.AJENO
    assert motivo("gclid-123") is None


def test_el_de_otra_campaña_no_vale() -> None:
    assert motivo(clic=replace(CLIC, campaña_id="cmp-2")) is MotivoDelClic.DE_OTRA_CAMPAÑA


@pytest.mark.parametrize("no_vale", [MotivoDelClic.DE_ROBOT, MotivoDelClic.INVALIDO])
def test_el_que_su_lectura_no_da_por_bueno_no_vale_y_se_dice_por_que(no_vale: MotivoDelClic) -> None:
    assert motivo(clic=replace(CLIC, no_vale=no_vale)) is no_vale
    assert estado_del_clic(no_vale) is EstadoDelClic.NO_VALIDO


@pytest.mark.parametrize(("de_mas", "vence"), [(timedelta(0), False), (timedelta(milliseconds=1), True)])
def test_vence_pasada_la_ventana_este_registrado_o_no(de_mas: timedelta, vence: bool) -> None:  # noqa: FBT001
    clic_id, clic = clic_de_hace(VENTANA + de_mas)
    assert motivo(clic_id, clic) is (MotivoDelClic.VENCIDO if vence else None)
    assert motivo(clic_id, None) is (MotivoDelClic.VENCIDO if vence else MotivoDelClic.DESCONOCIDO)


@pytest.mark.parametrize(("de_mas", "vale"), [(timedelta(0), True), (timedelta(milliseconds=1), False)])
def test_lo_que_ocurrio_un_dia_antes_que_su_clic_no_viene_de_el(de_mas: timedelta, vale: bool) -> None:  # noqa: FBT001
    clic_id, clic = clic_de_hace(-DESAJUSTE - de_mas)
    assert motivo(clic_id, clic) is (None if vale else MotivoDelClic.POSTERIOR)
    assert motivo(clic_id, None) is (MotivoDelClic.DESCONOCIDO if vale else MotivoDelClic.POSTERIOR)


def test_de_todos_los_motivos_solo_uno_deja_esperar() -> None:
    en_espera = {motivo for motivo in MotivoDelClic if estado_del_clic(motivo) is EstadoDelClic.EN_ESPERA}
    assert en_espera == {MotivoDelClic.DESCONOCIDO}
