// Valid calls of ops that have no row in test/ops/table: the fuzzer starts from them and spoils one thing or another.
// A line is `name arguments`. An argument is a tensor or JSON without spaces:
//   f2,3 float32 of that shape (f alone is 0-d)   p3 positive definite 3 x 3   c2,3 complex64
//   i0:4:2,3 int64 with 0 <= values < 4 (I: int32) b2,3 bool    u2,3 float32 in [0, 1)    fn a function
const TEXT = `
stft f2,40 8 4
stft f40 8 {"returnComplex":true}
istft c5,11 8
det p3
logdet p3
slogdet p3
inverse p3
pinverse f3,4
matrixExp f2,3,3
matrixPower f3,3 3
cholesky p3
choleskySolve f3,2 p3
choleskyInverse p3
qr f4,3
geqrf f4,3
orgqr f4,3 f3
ormqr f4,3 f3 f4,2
svd f2,4,3
lu p4
luUnpack p4 I1:5:4
luSolve f4,2 p4 I1:5:4
triangularSolve f3,2 p3
svdLowrank f6,5 2
pcaLowrank f6,5 2
rmsNorm f2,3,4 [4] f4
nativeChannelShuffle f2,4,3,3 2
pixelShuffle f1,8,2,3 2
F.pixelUnshuffle f1,2,4,6 2
constantPadNd f2,3 [1,2] 0.5
gridSampler f1,2,4,5 f1,3,3,2 0 0 false
gridSampler3d f1,1,3,4,5 f1,2,2,2,3 0 1 true
F.gridSample f1,2,4,5 f1,3,3,2 {"mode":"bicubic","paddingMode":"reflection"}
F.affineGrid f2,2,3 [2,1,4,5]
dropout f2,3 0.5 true
featureAlphaDropout f2,3,4 0.5 true
embeddingBag f5,3 i0:5:6 i0:3:2
F.embeddingBag i0:5:2,4 f5,3
F.embeddingBag i0:5:6 f5,3 i0:3:2 {"mode":"max"}
F.embedding i0:5:2,3 f5,4 {"maxNorm":1,"paddingIdx":1}
klDiv f2,3 f2,3
poissonNllLoss f3 f3 true false 1e-8 1
tripletMarginLoss f2,3 f2,3 f2,3
frexp f5
scatter f3,4 0 i0:3:2,4 f2,4
x.scatter_ f3,4 1 i0:4:3,2 f3,2
x.scatterAdd_ f3,4 1 i0:4:3,2 f3,2
x.scatterReduce_ f3,4 1 i0:4:3,2 f3,2 "prod"
x.put_ f3,4 i0:12:5 f5
put f3,4 i0:12:5 f5 true
x.indexAdd_ f3,4 1 i0:4:2 f3,2
x.indexCopy_ f3,4 1 i0:4:2 f3,2
x.indexFill_ f3,4 1 i0:4:2 7
x.indexReduce_ f3,4 1 i0:4:2 f3,2 "amax"
x.maskedFill_ f3,4 b3,4 2
x.maskedScatter_ f3,4 b3,4 f12
indexPut f3,4 [i0:3:2,i0:4:2] f2
indexPut_ f3,4 [i0:3:2] f2,4 true
x.index f3,4,5 1 null "..." i0:5:2
x.index f3,4 b3,4
x.indexPut_ f3,4 [i0:3:2,i0:4:2] f2 true
_unsafeMaskedIndex f3,4 b3,4 [i0:3:3,4,i0:4:3,4] 0
_unsafeMaskedIndexPutAccumulate f3,4 b3,4 [i0:3:3,4,i0:4:3,4] f3,4
blockDiag f2,3 f3 f
concat [f2,3,f1,3] 0
rowStack [f3,f3]
meshgrid f3 f4 {"indexing":"ij"}
cartesianProd f2 f3
broadcastTensors f2,1 f3
broadcastShapes [2,1] [3]
atleast3d f2 f
einsum "ij,jk->ik" f2,3 f3,4
einsum "...ii->...i" f2,3,3
einsum "bi,bj,bk->ijk" f2,3 f2,4 f2,5
tensordot f2,3,4 f3,4,2 [[1,2],[0,1]]
kron f2,3 f3,2
cross f2,3 f2,3
vander f4 3
cdist f2,4,3 f2,5,3 1.5
dist f2,3 f2,3 3
renorm f3,4 2 0 1
histogram f20 5
histogramdd f20,2 [3,4]
bincount i0:5:20
histc f20 5 -1 1
diff f3,5 2
gradient f4,5
gradient f4,5 {"spacing":[0.5,2],"edgeOrder":2}
trapezoid f3,5 f5
cumulativeTrapezoid f3,5
nativeLayerNorm f2,3,4 [4] f4 f4 1e-5
nativeGroupNorm f2,4,3 f4 f4 2 4 3 2 1e-5
nativeBatchNorm f4,3 f3 f3 u3 u3 true 0.1 1e-5
F.batchNorm f4,3,2 u3 u3 f3 f3 true
F.instanceNorm f2,3,4 {"weight":f3,"bias":f3}
F.layerNorm f2,3,4 [3,4] f3,4 f3,4
F.groupNorm f2,4,3 2 f4 f4
F.localResponseNorm f2,5,3 3
cov f3,5
corrcoef f3,5
binomial u3 u3
multinomial u2,5 3 true
x.multinomial u2,5 3
chainMatmul [f2,3,f3,4,f4,2]
gridSampler2d f1,2,4,5 f1,3,3,2 1 0 false
_native_batch_norm_legit f4,3 f3 f3 u3 u3 true 0.1 1e-5
_segment_reduce u6,2 "max" {"lengths":i1:3:3,"unsafe":true}
x.geometric_ f3 0.5
moveaxis f2,3,4 [0] [2]
viewCopy f2,6 [3,4]
x.where f2,3 b2,3 f2,3
normal f3 f3
randint 0 5 [2,3]
randperm 7
uniqueConsecutive f7 {"returnInverse":true,"returnCounts":true}
unique f3,4 {"dim":0,"returnInverse":true}
x.asStrided_ f12 [3,2] [4,1] 2
asStridedScatter f12 f3,2 [3,2] [4,1] 2
asStrided f12 [3,2] [4,1] 2
unfoldCopy f7 0 3 2
x.unfold f3,7 1 3 2
emptyStrided [2,3] [1,2]
emptyPermuted [2,3,4] [2,0,1]
x.resize_ f3,4 [2,5]
x.set_ f3,4 f5,2
x.view f3,4 [2,-1]
x.repeat f2,3 [2,1,3]
x.expand f2,1,3 [2,4,-1]
repeatInterleave f2,3 i0:4:3 1
searchsorted f5 f3,4
bucketize f3,4 f5
segmentReduce f6,2 "sum" {"lengths":i1:3:3}
x.uniform_ f3,4 -1 2
x.random_ f3,4 2 9
x.copy_ f3,4 f4
x.fillDiagonal_ f5,3 2 true
x.transpose_ f2,3 0 1
x.addmm_ f2,4 f2,3 f3,4
x.addbmm_ f2,4 f5,2,3 f5,3,4
x.baddbmm_ f5,2,4 f5,2,3 f5,3,4
x.addr_ f2,3 f2 f3
x.cumsum_ f2,3 1
x.polygamma_ f3 1
polygamma 2 f3
mvlgamma f3 2
igamma f3 f3
lerp f2,3 f2,3 f2,3
addcmul f2,3 f2,3 f2,3 {"value":2}
where b2,3 f2,3 f3
where b2,3
nonzero f2,3 {"asTuple":true}
nonzeroStatic f2,3 {"size":4}
takeAlongDim f3,4 i0:3:2,4 0
tensor [[1,2],[3,4]]
vmap fn
F.maxPool1d f2,3,8 3 2 1
F.maxPool2d f2,3,6,6 [2,3] 2 1 {"dilation":1,"ceilMode":true,"returnIndices":true}
F.maxPool3d f1,2,4,4,4 2
F.avgPool1d f2,3,8 3 2 1
F.avgPool2d f2,3,6,6 3 2 1 true false 5
F.avgPool3d f1,2,4,4,4 2
F.adaptiveAvgPool1d f2,3,7 3
F.adaptiveAvgPool2d f2,3,7,5 [3,null]
F.adaptiveAvgPool3d f1,2,4,5,6 2
F.adaptiveMaxPool1dWithIndices f2,3,7 3
F.adaptiveMaxPool2dWithIndices f2,3,7,5 [3,2]
F.adaptiveMaxPool3dWithIndices f1,2,4,5,6 2
F.fractionalMaxPool2d f2,3,8,8 2 {"outputSize":[4,3]}
F.fractionalMaxPool2dWithIndices f2,3,8,8 2 {"outputRatio":[0.5,0.6]}
F.fractionalMaxPool3dWithIndices f1,2,6,6,6 2 {"outputSize":3}
F.fractionalMaxPool3d f1,2,6,6,6 2 {"outputSize":3}
F.lpPool1d f2,3,8 2 3 2
F.lpPool2d f2,3,6,6 2 2
F.lpPool3d f1,2,4,4,4 3 2
F.maxUnpool1d f2,3,4 i0:8:2,3,4 2
F.maxUnpool2d f2,3,4,4 i0:64:2,3,4,4 2
F.maxUnpool3d f1,2,2,2,2 i0:64:1,2,2,2,2 2
F.fold f2,12,9 [4,4] 2
F.unfold f2,3,5,5 [2,3] 1 1 2
F.pad f2,3,4 [1,2,0,1] "reflect"
F.pad f2,3,4,5 [1,2,2,1] "circular"
F.interpolate f1,2,4,5 {"scaleFactor":[1.5,2],"mode":"bilinear","alignCorners":true}
F.interpolate f1,2,4,5 {"size":[7,3],"mode":"bicubic"}
F.interpolate f1,2,9 {"size":4,"mode":"linear"}
F.interpolate f1,1,3,4,5 {"scaleFactor":2,"mode":"trilinear"}
F.interpolate f1,2,4,5 {"size":[2,3],"mode":"area"}
F.interpolate f1,2,4,5 {"size":[8,3],"mode":"nearest-exact"}
F.interpolate f1,2,8,8 {"size":[3,3],"mode":"bilinear","antialias":true}
F.upsample f1,2,4,5 {"scaleFactor":2}
F.upsampleBilinear f1,2,4,5 {"size":[8,8]}
F.upsampleNearest f1,2,4,5 {"scaleFactor":2}
F.conv1d f2,4,9 f6,2,3 f6 2 1 1 2
F.conv2d f2,4,7,7 f6,2,3,2 f6 [1,2] "same" 1 2
F.conv2d f2,4,7,7 f6,4,3,3 f6 2 1 2
F.conv3d f1,2,4,5,6 f3,2,2,2,2 f3
F.convTranspose1d f2,4,5 f4,3,3 f3 2 1 1
F.convTranspose2d f2,4,5,4 f4,2,3,3 f6 2 1 1 3
F.convTranspose2d f2,4,5,4 f4,3,3,2 f3 2 1 1 1
F.convTranspose3d f1,2,3,3,3 f2,2,2,2,2
F.linear f2,3,4 f5,4 f5
F.bilinear f2,3 f2,4 f5,3,4 f5
F.oneHot i0:4:2,3 5
F.crossEntropy f3,5 i0:5:3 {"labelSmoothing":0.1,"weight":f5}
F.crossEntropy f3,5,2 f3,5,2
F.linearCrossEntropy f3,4 f5,4 i0:5:3
F.nllLoss f3,5,2,2 i0:5:3,2,2 f5
F.binaryCrossEntropy u3,4 u3,4
F.binaryCrossEntropyWithLogits f3,4 f3,4 {"posWeight":f4}
F.gaussianNllLoss f3,4 f3,4 f3,4
F.huberLoss f3,4 f3,4
F.l1Loss f3,4 f3,4
F.smoothL1Loss f3,4 f3,4 {"beta":0.5}
F.multiMarginLoss f3,5 i0:5:3
F.multilabelMarginLoss f3,5 i-1:5:3,5
F.multilabelSoftMarginLoss f3,5 f3,5
F.tripletMarginLoss f3,4 f3,4 f3,4
F.tripletMarginWithDistanceLoss f3,4 f3,4 f3,4
F.cosineEmbeddingLoss f3,4 f3,4 f3
F.ctcLoss f10,2,5 i1:5:2,4 i10:11:2 i1:5:2
F.multiHeadAttentionForward f5,2,4 f5,2,4 f5,2,4 4 2 f12,4 f12 null null false 0 f4,4 f4
F.scaledDotProductAttention f2,3,5,4 f2,3,6,4 f2,3,6,4 {"isCausal":true}
F.gumbelSoftmax f2,5 {"hard":true}
F.glu f2,4
F.cosineSimilarity f3,4 f3,4
F.pairwiseDistance f3,4 f3,4
F.pdist f4,3
F.normalize f3,4
F.channelShuffle f2,4,3 2
F.convTbc f7,2,3 f2,3,4 f4 1
linalg.cholesky p3
linalg.choleskyEx p3
linalg.ldlFactor p3
linalg.ldlSolve p3 I1:4:3 f3,2
linalg.det f2,3,3
linalg.slogdet f2,3,3
linalg.eig f3,3
linalg.eigh p3
linalg.eigvals f3,3
linalg.eigvalsh p3 "U"
linalg.lu f3,4
linalg.luFactor f2,3,3
linalg.luFactorEx f3,3
linalg.luSolve p3 I1:4:3 f3,2
linalg.cond f3,3 "fro"
linalg.cond f3,3 2
linalg.norm f3,4 "nuc"
linalg.matrixNorm f2,3,4 "nuc"
linalg.matrixNorm f2,3,4 1
linalg.vectorNorm f3,4 3 0
linalg.lstsq f5,3 f5,2 {"driver":"gelsd"}
linalg.matrixRank f2,4,3
linalg.pinv f2,4,3
linalg.cross f2,3 f2,3
linalg.matrixExp f2,3,3
linalg.matrixPower f3,3 -2
linalg.multiDot [f2,3,f3,4,f4,2]
linalg.vander f2,3 4
linalg.vecdot f2,3 f2,3
linalg.householderProduct f4,3 f3
linalg.qr f2,4,3 "complete"
linalg.inv f2,3,3
linalg.invEx f3,3
linalg.solve p3 f3,2
linalg.solveEx p3 f3
linalg.tensorinv f2,3,6 2
linalg.tensorsolve f2,3,6 f2,3
linalg.svd f2,4,3 true
linalg.svdvals f3,5
linalg.solveTriangular p3 f3,2 {"upper":true}
fft.fft f2,7 5
fft.ifft c2,6
fft.rfft f2,8
fft.irfft c2,5 8
fft.hfft c2,5
fft.ihfft f2,8
fft.fft2 c2,4,5
fft.ifft2 c2,4,5 [3,7]
fft.rfftn f2,4,6 [4,5] [0,2]
fft.irfftn c2,4,4
fft.hfft2 c4,4
fft.ihfftn f4,6
fft.fftn c3,4,5
fft.fftshift f3,4
fft.fftfreq 8 0.5
special.chebyshevPolynomialT f4 3
special.hermitePolynomialH f4 i0:5:4
special.zeta f3 f3
special.multigammaln f3 2
special.xlog1py f3 f3
windows.kaiser 9 {"beta":5}
windows.generalCosine 9 [0.5,0.3,0.2]
windows.exponential 9 {"sym":false,"tau":2}
masked.sum f3,4 1 {"mask":b3,4}
masked.softmax f3,4 1 {"mask":b3,4}
masked.median f3,4 1 {"mask":b3,4}
masked.norm f3,4 2 1 {"mask":b3,4}
masked.argmax f3,4 1 {"mask":b3,4}
masked.var f3,4 1 {"mask":b3,4}
init.orthogonal_ f4,3
init.dirac_ f4,2,3 2
init.sparse_ f4,3 0.5
init.xavierUniform_ f4,3
init.kaimingNormal_ f4,3
init.truncNormal_ f4,3
init.eye_ f4,3
`;

/** Splits an argument list at commas outside of brackets, tensors' shapes kept together. */
function parseOne(text) {
  if (/^[fcpu][\d,]*$/.test(text)) return { tensor: text[0], shape: text.slice(1).split(',').filter(Boolean).map(Number) };
  if (/^b[\d,]+$/.test(text)) return { tensor: 'b', shape: text.slice(1).split(',').map(Number) };
  const whole = /^[iI](-?\d+):(\d+):([\d,]+)$/.exec(text);
  if (whole) return { tensor: text[0], low: Number(whole[1]), high: Number(whole[2]), shape: whole[3].split(',').map(Number) };
  if (text === 'fn') return { function: true };
  return null;
}

/** An argument as data: JSON in which tensors stand bare, as in [f2,3,f4]. */
function parse(text) {
  const bare = parseOne(text);
  if (bare !== null) return bare;
  const quoted = text.replace(
    /([[,:{])([iI]-?\d+:\d+:\d+(?:,\d+)*(?=[,\]}])|[fbcpu](?:\d+(?:,\d+)*)?(?=[,\]}]))/g,
    (_, before, tensor) => `${before}${JSON.stringify(`\u0000${tensor}`)}`,
  );
  return JSON.parse(quoted, (_key, v) => (typeof v === 'string' && v.startsWith('\u0000') ? parseOne(v.slice(1)) : v));
}

/** [{ name, args }] of the lines above. */
export const calls = TEXT.trim()
  .split('\n')
  .map((line) => {
    const [name, ...args] = line.split(' ');
    return { name, args: args.map(parse) };
  });
