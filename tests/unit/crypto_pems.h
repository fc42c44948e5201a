/* crypto_pems.h: throw-away keys made with the openssl command (3.0), for the tests of key reading: the kinds that are taken, and
 * the kinds that are refused. */
#ifndef CRYPTO_PEMS_H
#define CRYPTO_PEMS_H

#define P256_SEC1_COMPRESSED \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "MFcCAQEEIExrNl6VBcVlCph6i6SxT/cwk3EFboxAnODr5FrcvbKqoAoGCCqGSM49\n" \
    "AwEHoSQDIgACO6nHRYE/mO7qd5H0k7o1ZSxQTwpDh/YtiJFl01r1K/c=\n" \
    "-----END EC PRIVATE KEY-----\n"
#define P256_SPKI_COMPRESSED \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACO6nHRYE/mO7qd5H0k7o1ZSxQTwpD\n" \
    "h/YtiJFl01r1K/c=\n" \
    "-----END PUBLIC KEY-----\n"
#define P256_PARAMETERS_FIRST \
    "-----BEGIN EC PARAMETERS-----\n" \
    "BggqhkjOPQMBBw==\n" \
    "-----END EC PARAMETERS-----\n" \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "MHcCAQEEIFyn8cY8xRHlBLgyve1VTi++RBmBdavBRUEsXomk3UXZoAoGCCqGSM49\n" \
    "AwEHoUQDQgAE9veH04HXunKgEaWoz+c5IcToQNEFonpiF8T7/snIlUZlW1Usz0C1\n" \
    "gveBbSPnhu6cQJbbJvfcJlR5W5WsoBmyCg==\n" \
    "-----END EC PRIVATE KEY-----\n"
#define PKCS8_ENCRYPTED \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg8VF5H8nQhWwICCAAw\n" \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJKijGvUiyTneEgppQrmnIsEgZBF\n" \
    "8JFM2dEQrIBsmAVTmIbznT6YDQuHR8ImMAg7a66/Ft7Wps/HA8YNXzxU09f0PUk7\n" \
    "vqtq+611XTsOv5fNLN8bj/qf4Jg27Qk7CtDX1Pomv5wbnDDcvcf3hzoAUilJoAgL\n" \
    "Yr2CGc6DDmzP7g/3CdvBoyUUPSJ6IxNnwMu6ZKE2f/fThn6MRzuZNqypNdSTaQ8=\n" \
    "-----END ENCRYPTED PRIVATE KEY-----\n"
#define SEC1_ENCRYPTED \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "Proc-Type: 4,ENCRYPTED\n" \
    "DEK-Info: AES-128-CBC,0A6DFC7BA5E3E980F8DEB812A029FE6E\n" \
    "\n" \
    "Hvmo/mrYo8SBaN/fTs3AR4wYMDQ9lVEBQy1NFB+lBp5gnc3XzIM9O9IbQzhau68X\n" \
    "wRsp1ffFz6AFgZWqAFRM3PpGibQtuY0hDC1Hh79UdWnSDRG6XgH7HM2pNToRaMC6\n" \
    "B98MS9RyyuGb4amyjdLDY5dplnEDZAXU2Xkl+yuZh1k=\n" \
    "-----END EC PRIVATE KEY-----\n"
#define P256_EXPLICIT \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
    "AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
    "///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
    "NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n" \
    "RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n" \
    "//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABBUtR6cjur94qRBBysrSXUqw\n" \
    "e4Z3SQZE4L9r4tBM1/plsyHHuZbWX31Rp32CRhnKrDQRSN6DKdYj1C+nBxZttHY=\n" \
    "-----END PUBLIC KEY-----\n"
#define P256_EXPLICIT_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAAB\n" \
    "AAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA\n" \
    "///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMV\n" \
    "AMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg\n" \
    "9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8A\n" \
    "AAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQgnQD+a4gIQXYB\n" \
    "uhZ2/DCtCV5cjMP6EjvzuTwMa3TfW3ChRANCAAQVLUenI7q/eKkQQcrK0l1KsHuG\n" \
    "d0kGROC/a+LQTNf6ZbMhx7mW1l99Uad9gkYZyqw0EUjegynWI9QvpwcWbbR2\n" \
    "-----END PRIVATE KEY-----\n"
#define SECP256K1 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEfzzljyI+/lN2xb7pBZOSqjWVOANaThVs\n" \
    "qA1Tya4kPB8dMZv1M9gB2g+lL86vLCcH3ijdBfFYPDolTecmF7EqAQ==\n" \
    "-----END PUBLIC KEY-----\n"
#define P384 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEnTzCphzCasOFUpX46Y/q4AExLbmOXH9H\n" \
    "YiveHD9mjkco8YtCN41jhANGTU8ZgTYxH5fI/h0iMQdQgKwXtuVICy/V5oyo4l6G\n" \
    "pI5qahEqyAgCyk5gBtfKxq67T0ppQSbs\n" \
    "-----END PUBLIC KEY-----\n"
#define P384_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAy0DrHxKb8NaWig4sh\n" \
    "HPo82YuydsvM1p/iw+nukipuG3/wm/1DCqvnK16UXMFeW0ahZANiAASdPMKmHMJq\n" \
    "w4VSlfjpj+rgATEtuY5cf0diK94cP2aORyjxi0I3jWOEA0ZNTxmBNjEfl8j+HSIx\n" \
    "B1CArBe25UgLL9XmjKjiXoakjmpqESrICALKTmAG18rGrrtPSmlBJuw=\n" \
    "-----END PRIVATE KEY-----\n"
#define RSA_1024 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCn8v4D2dIQN+4EAyx3luOqpoRh\n" \
    "6mm2dmwC/wqIrVbGtP2XrP68OhencYJcjEO3NXSJVL3LV/c2xk4JYhTmMGQ8ywTw\n" \
    "a5m2sr3fYX78P2IabDAG57X4qtDCzh0/xWYE/Z6gXBOTO3NbnGSk7/rYgAucCKeh\n" \
    "ggfXEjHwdHe0qUFMDwIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"
#define RSA_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDZb1F/BtTRWgmn\n" \
    "KV8StgPBGW8aNeT2T78mnNPqbAw8UW+FWPhhf35Bb52873iTaloZpoeqcQe/rnMb\n" \
    "WnizgPiooEVK/x/4Foq44sfkM2JXEdQLgup2tBG0Z2T2S9q5PtIWBl90H1MSIODP\n" \
    "fNGg8OdvN8Vi1tUGKqgo9HLq7NsSw7rU4aKCVBRcQ8i80LA49GNtokYJGFmDS4h7\n" \
    "Urcrrx3wvrYY/cBP2/71VsthSXTSipfjZeiiXgrbxgjf7l4y+A0SFWJsTOFpltRM\n" \
    "8nwVfBqmdebxjVR8I6w/KSMUf9IMaogRqGHAhoO9kA33m1t/Ff8deWtlE63skgjP\n" \
    "eOePZlv5AgMBAAECggEAWL8Lt1oVcOFcAUNsj5mEzMLRyxPmQPZpoZvvDsZM9C2U\n" \
    "5AtdTYYZBSJGcoAXaavF3KRQyStbK0xLpQV3MGTamRDZV3PsG3kv46iER8sFP16C\n" \
    "erRTeGGkvEpbNf/d5TAT1XOCcEX8xPBwcZ+TfCn3fDh6Mw5WYi709cpYQTStcel6\n" \
    "qV8mIpsObTjzFC55RF+jtBiDhOXpBe/DtYwyJhIyapE1hVRP3Fd0x4Z9IuoBODRa\n" \
    "Vj21f4HkjYPHYq6U300MItNCeTm9h/A+gWK8myMTkkLzBLLWoF4QdGMGpOLE7yQ7\n" \
    "V4jXIQmw8Ivf0sKDuDUvjIpzsLREm3YBpd6jogeSFQKBgQD5kV9NojojXKSgd5pl\n" \
    "cwsSVtMwGkSZeQtu6DJEjX4COoN9c3ls9BZ56Zg7v/Pqv8cczp1AC+ILbb7uO65h\n" \
    "D3/CIPT87jpA8NTdPJhC++SmxdoPxe0QXfuLGZteLJKhEFlNNjxKvbsILXJzBbkT\n" \
    "RxJTJWC77+ov15VX2DeMsFF80wKBgQDfCe9hyczjrvBvrw5UxpKZIN/9o6DE5Msu\n" \
    "W9bTPRimrVMn+DxkbQibf5KvC9BJ5sND2p+uLMZl28JmFMA8tOTHeUz7edcv5cbe\n" \
    "2Dgr5NoVvTs704Mj3QhlQ80nalu2b5TAgr2dPNdjdlgdjmo8P7NIREvdrnOB5MPo\n" \
    "o2pXJGEUgwKBgEKVa3Td/F7k37NEVbgNWn3ZFl02FOlRZyB+6LJrgZv8mopE3beY\n" \
    "48pA7XG7g8s0wV3JLiEhSny8Gf2bhKm2peJYQqSctoQO/OvNt93fMKDiFoywxM/i\n" \
    "EzOIcHBOugwovXqhJrLWLek/ntJbS4Z+JsByL33Uw4liHiEiuadaf1MrAoGBALZu\n" \
    "ZOviaQFOpQFk+V7kMSKpHi1Tenux/HMF0Zhkn9YtbRgDVjp6aJDv7yXYjtzzsIG+\n" \
    "v99yZjEIaGCg1oCRIZP7JrmG9jkKQ/kgeAmHHc6sQlfz8I8UCvrxU0vLFgsKB2zT\n" \
    "Q47qJe8H7Jj4VPLE07rnifpf58C2Qnv1tlRiwDlLAoGBAOE81Vz7xD34HMr8ff7T\n" \
    "CLlBoOaE7vINUrZ1ubEVofcja6iF4oGrvseHKgBk3U6PpTKlLnCZxFiyVjZAbGkm\n" \
    "yifoeqMspXZsgXOz11KWOiayQB0TWDYO6a6E7ni0ZaVMJIsNEuc8zcr4SSRFgDTh\n" \
    "dIjk+lan8g2D7VN+bvrNoLc7\n" \
    "-----END PRIVATE KEY-----\n"
#define RSA_2048 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2W9RfwbU0VoJpylfErYD\n" \
    "wRlvGjXk9k+/JpzT6mwMPFFvhVj4YX9+QW+dvO94k2paGaaHqnEHv65zG1p4s4D4\n" \
    "qKBFSv8f+BaKuOLH5DNiVxHUC4LqdrQRtGdk9kvauT7SFgZfdB9TEiDgz3zRoPDn\n" \
    "bzfFYtbVBiqoKPRy6uzbEsO61OGiglQUXEPIvNCwOPRjbaJGCRhZg0uIe1K3K68d\n" \
    "8L62GP3AT9v+9VbLYUl00oqX42Xool4K28YI3+5eMvgNEhVibEzhaZbUTPJ8FXwa\n" \
    "pnXm8Y1UfCOsPykjFH/SDGqIEahhwIaDvZAN95tbfxX/HXlrZROt7JIIz3jnj2Zb\n" \
    "+QIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"
#define X25519_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MC4CAQAwBQYDK2VuBCIEIKAvgk8LJICIVP+60U3ChjYqXX8qy5voDG4ys7UHqE52\n" \
    "-----END PRIVATE KEY-----\n"
#define ED448_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MEcCAQAwBQYDK2VxBDsEOSEwXEZqjTNsIo6v4illh6yCzmZ6xD/eL7bKdWlZVtq7\n" \
    "sb2b1aYZfMxi0rjwt10X+zbTRqRrjd+nKw==\n" \
    "-----END PRIVATE KEY-----\n"
#define P256_PKCS8 \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTGs2XpUFxWUKmHqL\n" \
    "pLFP9zCTcQVujECc4OvkWty9sqqhRANCAAQ7qcdFgT+Y7up3kfSTujVlLFBPCkOH\n" \
    "9i2IkWXTWvUr9yjGEqlZT+RPvfiKrUSNaAfWaKM7eDbsZrCpMdHLCYVU\n" \
    "-----END PRIVATE KEY-----\n"
#define P256_SEC1 \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "MHcCAQEEIExrNl6VBcVlCph6i6SxT/cwk3EFboxAnODr5FrcvbKqoAoGCCqGSM49\n" \
    "AwEHoUQDQgAEO6nHRYE/mO7qd5H0k7o1ZSxQTwpDh/YtiJFl01r1K/coxhKpWU/k\n" \
    "T734iq1EjWgH1mijO3g27GawqTHRywmFVA==\n" \
    "-----END EC PRIVATE KEY-----\n"
#define P256_SPKI \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEO6nHRYE/mO7qd5H0k7o1ZSxQTwpD\n" \
    "h/YtiJFl01r1K/coxhKpWU/kT734iq1EjWgH1mijO3g27GawqTHRywmFVA==\n" \
    "-----END PUBLIC KEY-----\n"
#define ED_PKCS8 \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MC4CAQAwBQYDK2VwBCIEICE1wF2wkflxPAsnwbcATOcMINyj8neXvgSZ3NL436t/\n" \
    "-----END PRIVATE KEY-----\n"
#define ED_SPKI \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MCowBQYDK2VwAyEAA126RZzXhW7aQ0xnVCjvuEZ7kNWf/yfiCIU0Q3AHhLs=\n" \
    "-----END PUBLIC KEY-----\n"
#define RSA_8192 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIEIjANBgkqhkiG9w0BAQEFAAOCBA8AMIIECgKCBAEApDOqS7xfNDzcGVC11JnX\n" \
    "m7fdNif3hT13WVgjpATTn2rwmzjIOcHegnN+xoJTMf7OvvJSJ6mpEr7mqkJRmakc\n" \
    "YnQ5rA0iR/BjXHI1ipCVilgz84LQZs9dxFwmFeyJ4qRtOWPhuavGltGZ6pikbirn\n" \
    "5MQcfvfHoXDu+gMksYWU9wV4Ocdq7k/fneoUyVedjIfFUVagGhrE+FWZ6BUvYeV+\n" \
    "6taOyRoFKVoU5uc+MRaX1vjrVwWIvekDiWjlCq2DDAaHaAGNUayahheA88yQfWxs\n" \
    "hyDChxC2CgS+Nxg3aAOvrSxv5R26Fy4vXfaw5+geQrDgpERN56u1zJFJFjFTYXt2\n" \
    "By5updgCFppXnhFOE2d7iXdFLifh28JaVrg0S/pZreD46DzsBH29X1Oyx1Q81VnP\n" \
    "hPKAgvg4N5YfMsMpnbHI0tLMYsUpAEA1PClS6mv0STBOL5Qrrc9Lhymdqm8bhO/I\n" \
    "pBbZIn+mUqimbrajDICvkO2AW9VUosBlWJPUG3jEAh8V8Et4Fqwq4n6tdgvbSiky\n" \
    "ix8bmQ5xzpKx8Ovb0TdBvJV8JBkl+RSrHoaLFJv+A/at1hhETzFcSA4nTy23657R\n" \
    "aolylmvtuFyF/cIw4o7z0JYtlzN3lBDlkjHe2V+ZAbQ9Wzmqik/kA6p2REDtTENQ\n" \
    "qp0BH9UAmF3vL15Xe7u0BEOdIKT9SZEq2oq2QDwJnITAFJFL/Ll2b/cV9sVWmnev\n" \
    "jtnzLT4SfdRL30UsespOOMlQ5iiV7cIW0XnRFHhkzjvB8Im3Bo63l25Wjw4fhnoa\n" \
    "9tMhJ5lcRszVkgChR7kv1zowiYGu2CIAeiIgDCT6qfr4P2NcXc60QFaatBF8AyQw\n" \
    "GIpDkCill1yOYfuTYy3HLUJb9SdlgCZkdKGHSvACPSQOtnSuRmBWgu1wG4ybgOAg\n" \
    "REUPgkfAgHRaHAMEqmSunppPRaASkT/lt2uI+cGgMptbTcpSQ2hy5+4Hy2jw8J2T\n" \
    "f7fzP5mHOGP56NLlazu8W4/q1pWncCfjOnxToHlOktq6xStMgEswQTV5fpu8QMhW\n" \
    "rklOud9nFBPCU8RQfPiJciZy4XryFZ9FjPc7hQK2vGuwTEFLAvR2m44NhiQZraXl\n" \
    "Dsf4PEVgPoqG5kapPjp91mUL5RRD/feYZnZUqAeZPNHorBTqYzFLa5QGkUSn+p9F\n" \
    "9rjqk8gkMza89aAQaoGiMgz2ktvBhMfs//pUB61WQA1ma8jQWd29DOx0ik6wNgGR\n" \
    "hRZsdBHfUc1nT/17V/A2JUv1//VY+hocXUTwIhqUhrNL1oP6XsPp8FjXPEUce5L2\n" \
    "uSI8vODtgkZCaQPylh5c7W6N1XXjOVipF16mcOskOrlHFIYXbWYVNNbuOKIzt7n/\n" \
    "VQIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#endif
