"""Lo que escribiría quien lo hiciera por su cuenta: FastAPI, pydantic y el cliente de Pulsar.

Qué es: las dos rutas de la semilla, con sus tipos y sus obligatorios; publica el JSON y responde cuando el
broker lo confirma. Nada es nuestro, y corre en un entorno aparte, con `requisitos/rivales.txt`.
Qué no es: descuidada. Valida, no bloquea el bucle, reúne en lotes y no responde antes de tiempo.
Por qué existe: con esto compite de verdad quien ofrece un servicio ya hecho.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

import pulsar
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field, IPvAnyAddress

Texto = Annotated[str, Field(min_length=1, max_length=255)]


class Evento(BaseModel):
    """Lo común a los dos."""

    id: Texto
    campaña_id: Texto
    influencer_id: Texto
    usuario_id: Texto | None = None
    user_agent: str | None = Field(None, max_length=1024)
    ip_address: IPvAnyAddress | None = None
    referrer: str | None = Field(None, max_length=2048)
    timestamp: datetime


class Impresion(Evento):
    """Una vez que se vio la campaña."""

    tipo_evento: Literal["IMPRESION", "CLIC", "VISUALIZACION"]


class Conversion(Evento):
    """Un logro por el que puede pagarse."""

    tipo_conversion: Literal["VENTA", "REGISTRO", "SUSCRIPCION", "DESCARGA", "FORMULARIO", "OTRA"]
    valor: Decimal | None = Field(None, ge=0)
    moneda: str | None = Field(None, pattern="^[A-Z]{3}$")


@asynccontextmanager
async def con_pulsar(app: FastAPI) -> AsyncIterator[None]:
    """Un productor por tópico mientras la aplicación vive."""
    cliente = pulsar.Client(os.environ["PULSAR_URL"])
    app.state.productores = {
        topico: cliente.create_producer(topico, batching_enabled=True, batching_max_publish_delay_ms=2)
        for topico in ("impresiones", "conversiones")
    }
    yield
    cliente.close()


async def publicar(app: FastAPI, topico: str, evento: Evento) -> dict[str, str]:
    """Publica el evento y vuelve cuando el broker lo confirma."""
    bucle = asyncio.get_running_loop()
    confirmado: asyncio.Future[Any] = bucle.create_future()

    def al_saber(resultado: Any, _: Any) -> None:
        bucle.call_soon_threadsafe(partial(confirmado.set_result, resultado))

    productor = app.state.productores[topico]
    productor.send_async(evento.model_dump_json().encode(), al_saber, partition_key=evento.campaña_id)
    if await confirmado != pulsar.Result.Ok:
        raise HTTPException(503)
    return {"id": evento.id, "estado": "ACEPTADA"}


app = FastAPI(lifespan=con_pulsar)


@app.post("/tracking/impresiones", status_code=202)
async def impresiones(peticion: Request, evento: Impresion) -> dict[str, str]:
    """Acepta una impresión."""
    return await publicar(peticion.app, "impresiones", evento)


@app.post("/tracking/conversiones", status_code=202)
async def conversiones(peticion: Request, evento: Conversion) -> dict[str, str]:
    """Acepta una conversión."""
    return await publicar(peticion.app, "conversiones", evento)
