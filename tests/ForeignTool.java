import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Hashtable;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureInterface;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Another maker's signing tool (PDFBox, Bouncy Castle): IN OUT P12 PASSFILE, then a field to fill, or "-" for its own. */
public class ForeignTool {
    public static void main(String[] a) throws Exception {
        char[] pass = new String(java.nio.file.Files.readAllBytes(new File(a[3]).toPath())).trim().toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(a[2])) {
            store.load(in, pass);
        }
        String alias = store.aliases().nextElement();
        PrivateKey key = (PrivateKey) store.getKey(alias, pass);
        Certificate[] chain = store.getCertificateChain(alias);
        try (PDDocument document = PDDocument.load(new File(a[0])); FileOutputStream out = new FileOutputStream(a[1])) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(COSName.getPDFName("ETSI.CAdES.detached"));
            signature.setSignDate(Calendar.getInstance());
            if (!a[4].equals("-")) {
                ((PDSignatureField) document.getDocumentCatalog().getAcroForm().getField(a[4])).setValue(signature);
            }
            SignatureOptions options = new SignatureOptions();
            options.setPreferredSignatureSize(16384);
            document.addSignature(signature, new SignatureInterface() {
                public byte[] sign(InputStream content) {
                    try {
                        return cms(key, chain, content.readAllBytes());
                    } catch (Exception error) {
                        throw new IllegalStateException(error);
                    }
                }
            }, options);
            document.saveIncremental(out);
        }
    }

    static byte[] cms(PrivateKey key, Certificate[] chain, byte[] content) throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded());
        SigningCertificateV2 link = new SigningCertificateV2(new ESSCertIDv2(hash));
        Hashtable<ASN1ObjectIdentifier, Attribute> more = new Hashtable<>();
        more.put(PKCSObjectIdentifiers.id_aa_signingCertificateV2,
                new Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(link)));
        CMSSignedDataGenerator made = new CMSSignedDataGenerator();
        made.addSignerInfoGenerator(
                new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                        .setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(new AttributeTable(more)))
                        .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), (X509Certificate) chain[0]));
        made.addCertificates(new JcaCertStore(Arrays.asList(chain)));
        return made.generate(new CMSProcessableByteArray(content), false).getEncoded();
    }
}
