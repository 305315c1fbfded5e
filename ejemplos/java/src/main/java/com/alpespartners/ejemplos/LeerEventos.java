package com.alpespartners.ejemplos;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionType;
import org.apache.pulsar.client.api.schema.Field;
import org.apache.pulsar.client.api.schema.GenericRecord;
import org.apache.pulsar.client.api.schema.GenericSchema;
import org.apache.pulsar.common.schema.SchemaInfo;
import org.apache.pulsar.common.schema.SchemaType;

/**
 * Lee los dos tópicos de eventos y escribe cada evento una sola vez.
 *
 * <p>Cada mensaje se lee con el esquema que lo escribió, del historial que publica este repositorio, y no con los del
 * registro del broker ({@code Schema.AUTO_CONSUME}): el broker embebido no tiene registro, ni dice que no lo tiene.
 */
public final class LeerEventos {

    private static final int DECIMALES = 4; // los de decimal(18,4), que es el tipo de `valor`

    private LeerEventos() {
    }

    public static void main(String[] argumentos) throws IOException {
        // En un servicio de verdad, una columna única en la misma transacción que lo que el evento provoque.
        var vistos = new HashSet<String>();
        var esquemas = new HashMap<String, GenericSchema<GenericRecord>>();
        Historial.leer().forEach((nombre, texto) -> esquemas.put(nombre, esquema(nombre, texto)));
        try (var cliente = Broker.conectar();
                var consumidor = cliente.newConsumer(Schema.BYTES)
                        .topic(Broker.topico("evento-impresion-registrada"), Broker.topico("evento-conversion-registrada"))
                        .subscriptionName("ejemplo-java")
                        .subscriptionType(SubscriptionType.Shared)
                        .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest)
                        .subscribe()) {
            while (true) {
                var mensaje = consumidor.receive();
                if (vistos.add(mensaje.getProperty("ce_id"))) {
                    var suyo = mensaje.getProperty("ce_dataschema");
                    var esquema = esquemas.get(suyo);
                    if (esquema == null) {
                        // Sin confirmarlo: con el historial al día volverá y se leerá.
                        throw new IllegalStateException("historial.jsonl no tiene " + suyo + ": actualícelo");
                    }
                    System.out.println(mensaje.getProperty("ce_type") + texto(esquema.decode(mensaje.getValue())));
                }
                consumidor.acknowledge(mensaje);
            }
        }
    }

    private static GenericSchema<GenericRecord> esquema(String nombre, String texto) {
        return Schema.generic(SchemaInfo.builder()
                .name(nombre)
                .type(SchemaType.AVRO)
                .schema(texto.getBytes(StandardCharsets.UTF_8))
                .build());
    }

    private static String texto(GenericRecord evento) {
        var texto = new StringBuilder();
        for (Field campo : evento.getFields()) {
            var valor = evento.getField(campo);
            if (valor instanceof ByteBuffer octetos) {
                valor = importe(octetos);
            }
            texto.append(' ').append(campo.getName()).append('=').append(valor);
        }
        return texto.toString();
    }

    private static BigDecimal importe(ByteBuffer octetos) {
        var copia = new byte[octetos.remaining()];
        octetos.duplicate().get(copia);
        return new BigDecimal(new BigInteger(copia), DECIMALES);
    }
}
