import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.Security;
import java.util.Arrays;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampToken;

/**
 * Judges the signatures of one PDF for each line of standard input, a path, with PDFBox and Bouncy Castle. Answers with
 * a line for each signature, "field-less name TAB subfilter TAB good|bad TAB stamped|unstamped TAB end of its byte
 * range", then "done" or "error TAB why". A document timestamp is good when its token is and its imprint is the file's.
 */
public final class Signatures {
  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = asked.readLine(); line != null; line = asked.readLine()) {
      try {
        judge(new File(line), answers);
        answers.println("done");
      } catch (Exception | LinkageError broken) {
        answers.println("error\t" + broken.toString().replaceAll("\\s+", " "));
      }
    }
  }

  private static void judge(File file, PrintStream answers) throws Exception {
    byte[] all = Files.readAllBytes(file.toPath());
    try (PDDocument document = PDDocument.load(file)) {
      for (PDSignature signature : document.getSignatureDictionaries()) {
        byte[] covered = signature.getSignedContent(all);
        byte[] contents = signature.getContents(all);
        int[] range = signature.getByteRange();
        boolean isStamp = "ETSI.RFC3161".equals(signature.getSubFilter());
        boolean good = isStamp ? isGoodStamp(contents, covered) : isGood(contents, covered);
        answers.println(
            signature.getName() + "\t" + signature.getSubFilter() + "\t" + (good ? "good" : "bad") + "\t"
                + (!isStamp && isStamped(contents) ? "stamped" : "unstamped") + "\t" + (range[2] + range[3]));
      }
    }
  }

  private static boolean isGood(byte[] contents, byte[] covered) throws Exception {
    CMSSignedData signed = new CMSSignedData(new CMSProcessableByteArray(covered), contents);
    SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
    X509CertificateHolder certificate =
        (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
    return signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate));
  }

  private static boolean isStamped(byte[] contents) throws Exception {
    CMSSignedData signed = new CMSSignedData(contents);
    SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
    if (signer.getUnsignedAttributes() == null) {
      return false;
    }
    Attribute kept = signer.getUnsignedAttributes().get(PKCSObjectIdentifiers.id_aa_signatureTimeStampToken);
    return kept != null
        && isGoodStamp(kept.getAttrValues().getObjectAt(0).toASN1Primitive().getEncoded(), signer.getSignature());
  }

  private static boolean isGoodStamp(byte[] contents, byte[] stamped) throws Exception {
    TimeStampToken token = new TimeStampToken(new CMSSignedData(contents));
    X509CertificateHolder authority =
        (X509CertificateHolder) token.getCertificates().getMatches(token.getSID()).iterator().next();
    token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(authority));
    ASN1ObjectIdentifier algorithm = token.getTimeStampInfo().getMessageImprintAlgOID();
    byte[] digest = MessageDigest.getInstance(algorithm.getId(), "BC").digest(stamped);
    return Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest());
  }
}
