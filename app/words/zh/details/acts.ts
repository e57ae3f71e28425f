/** Details of errors about what is asked of the engine, of a rehearsal and of the graphics card, by their English. */
export const words: Readonly<Record<string, string>> = {
  'the engine was closed': '引擎关上了',
  'an answer of the engine could not be read': '引擎的一个答复读不了',
  'the engine could not read what it was asked': '引擎读不了问它的话',
  '“{0}” cannot be sent to the engine: {1}': '“{0}”送不进引擎：{1}',
  'the engine stopped: {0}': '引擎停了：{0}',
  'the graphics device was lost twice within two minutes': '两分钟里，显卡断开了两次',
  'no backbone is loaded': '还没有载入模型',
  'no pack came with this model, so that nobody is on its map': '这个模型没有带角色包，地图上没有人',
  'the plan has changed': '计划变了',
  'the reading was stopped': '读到一半停下了',
  'reading failed: {0}': '没有读成：{0}',
  'reading took longer than {0} s': '读了 {0} 秒还没有读完',
  'what was read did not come across': '读到的东西没有传过来',
  'the proof of {0} was stopped': '{0} 的试演停下了',
  '{0}: as {1} the model computes values that are not finite': '{0}：演{1}的时候，模型算出来的不是有限的数',
  '{0}: the adapter of {1} changes nothing that the model says':
    '{0}：{1} 的适配器没有让模型说的话有一点不同',
  '{0} holds no pack': '{0}里没有角色包',
  'the run is for {0}, but {1} is loaded': '这次排练是在 {0} 上的，现在载入的是 {1}',
  'training needs WebGPU; chatting goes on without': '排练要用 WebGPU；聊天不用也行',
  'the weighing of the words was stopped': '掂量这句话停下了',
  'the LoRA is made for {0}, whose states have {1} numbers; those of {2} have {3}':
    '这个 LoRA 是给 {0} 做的，那里的状态有 {1} 个数；{2} 的有 {3} 个',
  'the browser gave no graphics device: {0}': '浏览器没有给显卡：{0}',
  'the graphics driver failed: {0}': '显卡驱动出错了：{0}',
  'the graphics memory does not suffice: {0}': '显存不够：{0}',
  '{0} does not compile: {1}': '{0} 编译不了：{1}',
  '{0} needs {1} bytes, this device allows {2} in one buffer': '{0} 要 {1} 字节，这台设备一块最多给 {2} 字节',
  'the last message has {0} tokens, there is room for {1}: shorten it':
    '最后一条消息有 {0} 个词元，放得下 {1} 个：写短一些',
  'the graphics device was lost while the model came to it: {0}': '模型还在往显卡上送，显卡就断开了：{0}',
  'there is no persona pack, so nobody plays {0}': '没有角色包，没有人来演 {0}',
  'the text has {0} tokens, there is none of number {1}': '这段话有 {0} 个词元，没有第 {1} 个',
  'there are no words to weigh, expected at least one': '没有可以掂量的词，至少要有一个',
  'the answer was not waited for': '没有等答复',
  'the measuring was stopped': '测量停下了',
  'no form of the model is chosen': '还没有选模型的哪一种形式',
  'this address is not secure': '这个地址不是安全连接',
  '{0}: the server answered {1}, expected 200': '{0}：服务器答的是 {1}，应当是 200',
  'the run has no role {0}': '这次排练里没有第 {0} 个角色',
  'there is no tensor {0}': '没有张量 {0}',
  'the vector of role {0} cannot be fitted: the pack has none that makes its matrices':
    '第 {0} 个角色的向量配不出来：角色包里没有能做出它矩阵的向量',
  'the parameters have {0} bytes, expected {1}': '参数有 {0} 字节，应当是 {1}',
  'the state of training has {0} bytes, expected {1}': '排练的状态有 {0} 字节，应当是 {1}',
  'there is no parameter {0}': '没有参数 {0}',
  'the backbone has no layers': '这个模型没有层',
  'mode "{0}" adds a role to a pack, so it needs a start pack':
    '“{0}”是往角色包里加一个角色，所以要有起步的角色包',
  'the configuration gives {0} another line than the start pack does: leave it out of "system"':
    '设置里给 {0} 的那句话和起步角色包里的不一样：请从 system 里去掉',
  'the data has {0}, which the start pack lacks: use mode "full" for a new role':
    '台词里有 {0}，起步的角色包里没有：新角色请用“full”',
  'gap.weight is {0}, and this trainer has no likelihood gap: set it to 0, or train with scale/':
    'gap.weight 是 {0}，这里的排练不会这个：请改成 0，或者用 scale/ 来排练',
  'the checkpoint has {0} bytes, too few for its header': '检查点只有 {0} 字节，连开头都不够',
  'the checkpoint ends within its header': '检查点在开头就断了',
  'the checkpoint’s header is not JSON': '检查点的开头不是 JSON',
  'the checkpoint is damaged or of another version': '检查点坏了，或者是另一个版本的',
  'the checkpoint belongs to another run: data, configuration, start pack or backbone differ':
    '检查点是另一次排练的：台词、设置、起步的角色包或模型不一样',
  'there is nothing to train on: no row of the data is left': '没有可以学的：台词一行也没剩下',
  'mode "{0}" teaches {1}, of whom the data has no row to train on':
    '“{0}”要教的是 {1}，可台词里没有一行是这个角色的',
  'from step {0} on the gradients are not finite, however small the learning rate':
    '从第 {0} 步起，学习率再小，梯度也不是有限的数',
  'the start pack has no heads for the contrastive loss: set contrast.form to "off"':
    '起步的角色包没有对比损失要用的头：请把 contrast.form 设成 off',
  'the batch has no reply tokens': '这一批里没有回答的词元',
  'the step is not to be tried any more': '这一步不用再试了',
  'from step {0} on the gradient is zero, at a loss of {1}: the run is lost; begin anew with a smaller learning rate':
    '从第 {0} 步起梯度是零，损失是 {1}：这次排练救不回来了；把学习率调小，重新开始',
  '{0}: {1} is {2}, expected {3}': '{0}：{1} 是 {2}，应当是 {3}',
  '{0} has the unknown key "{1}"': '{0}里有不认识的键 {1}',
  'the configuration: rank is {0}, the start pack has {1}': '设置里的秩是 {0}，起步的角色包是 {1}',
  'the configuration: mode "{0}" needs the new role\'s name in "role"':
    '设置里选了“{0}”，要在 role 里写上新角色的名字',
  'the browser offers no graphics card': '浏览器没有可用的显卡',
  'this browser has no {0}': '这个浏览器没有 {0}',
  'the files of {0} are not here': '{0} 的文件不在这里',
  '{0} dispatches are more than can be timed at once': '{0} 个计算步骤太多，一次量不完',
  '{0} has no role to play': '{0} 没有可以演的角色',
}
