package com.alpespartners.ejemplos;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.schema.GenericRecord;
import org.apache.pulsar.client.api.schema.GenericSchema;
import org.apache.pulsar.common.schema.SchemaInfo;
import org.apache.pulsar.common.schema.SchemaType;

/** Publica un comando RegistrarConversion: {@code PublicarConversion ID VALOR MONEDA}. */
public final class PublicarConversion {

    private static final String REGISTRO = "ComandoRegistrarConversion";
    private static final int DECIMALES = 4; // los de decimal(18,4), que es el tipo de `valor`

    private PublicarConversion() {
    }

    public static void main(String[] argumentos) throws IOException {
        var id = argumentos[0];
        var esquema = esquema();
        var comando = esquema.newRecordBuilder()
                .set("tipo_mensaje", REGISTRO)
                .set("id", id)
                .set("campana_id", "cmp-java")
                .set("tipo_conversion", "VENTA")
                .set("valor", octetos(new BigDecimal(argumentos[1])))
                .set("moneda", argumentos[2])
                .set("timestamp", ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()))
                .build();
        try (var cliente = Broker.conectar();
                var productor = cliente.newProducer(esquema)
                        .topic(Broker.topico("comando-registrar-conversion"))
                        .create()) {
            var posicion = productor.newMessage().key(id).value(comando).properties(propiedades(id)).send();
            System.out.println("publicado en " + posicion);
        }
    }

    private static GenericSchema<GenericRecord> esquema() throws IOException {
        try (var archivo = PublicarConversion.class.getResourceAsStream("/" + REGISTRO + ".avsc")) {
            return Schema.generic(SchemaInfo.builder()
                    .name(REGISTRO)
                    .type(SchemaType.AVRO)
                    .schema(archivo.readAllBytes())
                    .build());
        }
    }

    /** Con qué esquema se escribe: lo dice la última línea del historial que habla de este registro. */
    private static String ceDataschema() throws IOException {
        return Historial.leer().keySet().stream()
                .filter(nombre -> nombre.matches("urn:avro:[\\w.]+\\." + REGISTRO + "(#.*)?"))
                .reduce((antes, despues) -> despues)
                .orElseThrow();
    }

    /** CloudEvents 1.0. Quien repita el envío del mismo comando debe repetir su {@code ce_id}. */
    private static Map<String, String> propiedades(String id) throws IOException {
        return Map.of(
                "ce_specversion", "1.0",
                "ce_id", UUID.randomUUID().toString(),
                "ce_source", "/ejemplos/java",
                "ce_type", "com.alpespartners.tracking.v1." + REGISTRO,
                "ce_time", Instant.now().toString(),
                "ce_subject", id,
                "ce_datacontenttype", "application/avro",
                "ce_dataschema", ceDataschema());
    }

    private static ByteBuffer octetos(BigDecimal importe) {
        return ByteBuffer.wrap(importe.setScale(DECIMALES).unscaledValue().toByteArray());
    }
}
